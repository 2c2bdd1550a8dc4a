import dockerignore from "@balena/dockerignore";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Everything that goes into an image. */
export interface ImageContent {
  /** Folder of the build context. */
  readonly context: string;
  /** Dockerfile, relative to the context. */
  readonly dockerfile: string;
  /** Build arguments, the name of the base image among them. */
  readonly args: Readonly<Record<string, string>>;
  /** Folders of the context, relative to it, that don't count because the sources are mounted over them. @default [] */
  readonly except?: readonly string[];
}

/**
 * The image tag made from a hash over everything that goes into the image: every file of the build context that
 * .dockerignore leaves in (path, content, executable bit), the Dockerfile and the build arguments. The same content gives
 * the same tag on every machine and in every folder; times, owners and the other permission bits don't count.
 *
 * @throws Error when the context or the Dockerfile can't be read.
 */
export function contentTag({ context, dockerfile, args, except = [] }: ImageContent): string {
  const hash = createHash("sha256");
  // Every field ends in a NUL, which no path and no argument's name can contain, so that no two contents look the same.
  const add = (...fields: (string | Buffer)[]): void =>
    fields.forEach((field) => hash.update(field).update("\0"));

  add("dockerfile", digest(readFileSync(join(context, dockerfile))));
  for (const name of Object.keys(args).sort()) add("arg", name, args[name] ?? "");
  for (const path of contextFiles(context, dockerfile)) {
    if (except.some((folder) => isWithin(path, folder))) continue;
    const file = join(context, path);
    const stats = lstatSync(file);
    if (stats.isSymbolicLink()) add("link", path, readlinkSync(file));
    else add(stats.mode & 0o100 ? "executable" : "file", path, digest(readFileSync(file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** The files of a build context that .dockerignore leaves in, as sorted paths with forward slashes. */
export function contextFiles(context: string, dockerfile: string): string[] {
  const patterns = ignorePatterns(context, dockerfile);
  const filter = dockerignore().add(patterns);
  const exceptions = patterns
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => pattern.slice(1).replace(/^\/+/, ""));
  // An ignored folder is still entered where an exception may bring back something in it, as Docker does.
  const mayHoldException = (folder: string): boolean =>
    exceptions.some((path) => path.startsWith(`${folder}/`) || /^[^/]*[*?[]/.test(path));

  const files: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(context, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const ignored = filter.ignores(path);
      if (entry.isDirectory()) {
        if (!ignored || mayHoldException(path)) walk(path);
      } else if (!ignored) {
        files.push(path);
      }
    }
  };
  walk("");
  return files.sort();
}

/** `NAME.dockerignore` beside the Dockerfile goes before the context's own, as for `docker build`. */
function ignorePatterns(context: string, dockerfile: string): string[] {
  const file = [`${dockerfile}.dockerignore`, ".dockerignore"]
    .map((name) => join(context, name))
    .find((path) => existsSync(path));
  if (file === undefined) return [];
  return readFileSync(file, "utf8")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function digest(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

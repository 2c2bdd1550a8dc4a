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
  /** Build arguments, including the name of the base image. */
  readonly args: Readonly<Record<string, string>>;
  /** Folders, relative to the context, that are left out because sources are mounted over them. Defaults to none. */
  readonly except?: readonly string[];
}

/**
 * Returns the image tag: a hash of everything that goes into the image, that is, of the files of the build context that .dockerignore
 * doesn't exclude (path, content, executable bit), the Dockerfile and the build arguments. The same content has the same tag on every
 * machine and in every folder: times, owners and other permission bits don't count.
 *
 * @throws Error if the context or the Dockerfile can't be read.
 */
export function contentTag({ context, dockerfile, args, except = [] }: ImageContent): string {
  const hash = createHash("sha256");
  // Every field ends with NUL, which no path and no argument name can contain, so that different contents never hash the same bytes.
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

/** Returns the files of a build context that .dockerignore doesn't exclude, as sorted paths with forward slashes. */
export function contextFiles(context: string, dockerfile: string): string[] {
  const patterns = ignorePatterns(context, dockerfile);
  const filter = dockerignore().add(patterns);
  const exceptions = patterns
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => pattern.slice(1).replace(/^\/+/, ""));
  // As Docker does, search an ignored folder if an exception may include a file in it.
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

/** As for `docker build`, `NAME.dockerignore` beside the Dockerfile takes precedence over the context's .dockerignore. */
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

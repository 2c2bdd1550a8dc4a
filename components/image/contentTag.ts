import { createHash } from "node:crypto";
import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { ContextEntry, contextEntries, readable, readRegularFile } from "./context/contextEntries";

/** Everything that goes into an image. */
export interface TaggedFiles {
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
 * machine and in every folder: times, owners and other permission bits don't count, and the image doesn't have them (context/stagedContext.ts).
 *
 * @param entries Entries of the build context. Defaults to those that .dockerignore doesn't exclude.
 * @throws RunError if the context or the Dockerfile can't be read.
 */
export function contentTag(
  { context, dockerfile, args, except = [] }: TaggedFiles,
  entries: readonly ContextEntry[] = contextEntries(context, dockerfile),
): string {
  const hash = createHash("sha256");
  // Every field ends with NUL, which no path and no argument name can contain, so that different contents never hash the same bytes.
  const add = (...fields: (string | Buffer)[]): void =>
    fields.forEach((field) => hash.update(field).update("\0"));

  const dockerfileText = readRegularFile(join(context, dockerfile));
  add("dockerfile", createHash("sha256").update(dockerfileText).digest("hex"));
  for (const name of Object.keys(args).sort()) add("arg", name, args[name] ?? "");
  for (const { path, kind } of entries) {
    if (except.some((folder) => isWithin(path, folder))) continue;
    const file = join(context, path);
    if (kind === "folder") add(kind, path);
    else if (kind === "link") add(kind, path, readable(file, readlinkSync));
    else add(kind, path, readable(file, digestOfFile));
  }
  return hash.digest("hex").slice(0, 16);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const CHUNK_BYTES = 256 * 1024;

/** Hashes a file piece by piece, because a build context may hold files that don't fit into memory. */
export function digestOfFile(file: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const descriptor = openSync(file, "r");
  try {
    for (let length; (length = readSync(descriptor, chunk)) > 0;) {
      hash.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}

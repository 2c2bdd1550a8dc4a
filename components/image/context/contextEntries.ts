import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { DockerIgnore, Match } from "./dockerignore";
import { PatternError } from "./goRegExp";

/** A file, symbolic link or empty folder of a build context. */
export interface ContextEntry {
  /** Path relative to the context, with forward slashes. */
  readonly path: string;
  readonly kind: "file" | "executable" | "link" | "folder";
}

/**
 * Returns what the builder gets of a build context: everything that .dockerignore doesn't exclude, sorted by path. Folders are
 * listed only if they are empty otherwise. Sockets, named pipes and devices can't be part of an image and are left out.
 *
 * @throws RunError if a file or folder can't be read, or if a pattern in .dockerignore is invalid.
 */
export function contextEntries(context: string, dockerfile: string): ContextEntry[] {
  const file = ignoreFile(context, dockerfile);
  if (file === undefined) return allEntries(context);
  const text = readRegularFile(file).toString("utf8");
  try {
    return listEntries(context, DockerIgnore.parse(text));
  } catch (error) {
    throw error instanceof PatternError ? new RunError(`${file}: ${error.message}.`) : error;
  }
}

/** Returns all entries of a folder, regardless of .dockerignore. */
export function allEntries(folder: string): ContextEntry[] {
  return listEntries(folder, new DockerIgnore([]));
}

function listEntries(context: string, patterns: DockerIgnore): ContextEntry[] {
  const entries: ContextEntry[] = [];
  const walk = (folder: string, parent?: Match): void => {
    for (const name of namesIn(join(context, folder), parent)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const match = patterns.match(path, parent);
      const stats = readable(join(context, path), (file) => lstatSync(file));
      if (stats.isDirectory()) {
        const before = entries.length;
        if (!match.ignored || patterns.mayHoldException(path)) walk(path, match);
        if (!match.ignored && entries.length === before) entries.push({ path, kind: "folder" });
      } else if (!match.ignored) {
        const kind = stats.isSymbolicLink() ? "link" : stats.isFile() && fileKind(stats.mode);
        if (kind) entries.push({ path, kind });
      }
    }
  };
  walk("");
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The only permission that Git records, too. */
function fileKind(mode: number): "file" | "executable" {
  return mode & 0o100 ? "executable" : "file";
}

/** Returns the names in a folder. An ignored folder that can't be read counts as empty, as in Docker. */
function namesIn(folder: string, match?: Match): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (match?.ignored && (error as NodeJS.ErrnoException).code === "EACCES") return [];
    throw unreadable(folder, error);
  }
}

/** Finds the ignore file: `DOCKERFILE.dockerignore` beside the Dockerfile, otherwise .dockerignore of the context, as `docker build` does. */
function ignoreFile(context: string, dockerfile: string): string | undefined {
  return [`${dockerfile}.dockerignore`, ".dockerignore"]
    .map((name) => join(context, name))
    .find((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

/** Reads a file that decides what is built. @throws RunError if it can't be read, or if reading it might wait for ever. */
export function readRegularFile(file: string): Buffer {
  return readable(file, () => {
    if (!statSync(file).isFile()) throw new Error("it isn't a regular file");
    return readFileSync(file);
  });
}

/** Runs a function that reads a file. @throws RunError with the file and what to do. */
export function readable<T>(file: string, read: (file: string) => T): T {
  try {
    return read(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): Error {
  if (error instanceof RunError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const denied = code === "EACCES" || code === "EPERM";
  return new RunError(
    denied
      ? `${file}, part of an image, can't be read: permission denied. Make it readable (chmod u+rX '${file}'), or exclude it by .dockerignore.`
      : `${file}, part of an image, can't be read: ${message}.`,
  );
}

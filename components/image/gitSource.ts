import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ImageSource } from "./image";

/** Returns the repository and the commit of this checkout, or nothing outside a git checkout. */
export async function source(): Promise<ImageSource> {
  const [status, url] = await Promise.all([
    git("status", "--porcelain=v2", "--branch", "--untracked-files=no"),
    git("config", "--get", "remote.origin.url"),
  ]);
  const [, revision] = /^# branch\.oid ([0-9a-f]+)$/m.exec(status ?? "") ?? [];
  if (revision === undefined) return {};
  const changed = /^[^#]/m.test(status ?? "");
  return { url: withoutCredentials(url), revision: changed ? `${revision}-dirty` : revision };
}

/** Removes the user and the token from a repository's address, which must not become part of an image. */
function withoutCredentials(url: string | undefined): string | undefined {
  return url?.replace(/^([a-z+]+:\/\/)[^/@]*@/, "$1");
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)("git", args)).stdout.trim();
  } catch {
    // There is no git, no repository, no commit or no such setting.
    return undefined;
  }
}

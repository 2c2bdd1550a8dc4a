import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ImageSource } from "./image";

/** Where this checkout comes from, as git knows it; nothing where it isn't a git checkout. */
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

/** An https address of a repository may hold a token, which has no place in an image. */
export function withoutCredentials(url: string | undefined): string | undefined {
  return url?.replace(/^([a-z+]+:\/\/)[^/@]*@/, "$1");
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)("git", args)).stdout.trim();
  } catch {
    // No git, no repository, no commit or no such setting: there is nothing to say then.
    return undefined;
  }
}

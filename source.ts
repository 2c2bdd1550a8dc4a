import { execFileSync } from "node:child_process";
import { ImageSource } from "./components/image";

/** Where this checkout comes from, as git knows it; nothing where it isn't a git checkout. */
export function source(): ImageSource {
  const revision = git("rev-parse", "HEAD");
  if (revision === undefined) return {};
  const dirty = git("status", "--porcelain", "--untracked-files=no") !== "";
  return {
    url: withoutCredentials(git("config", "--get", "remote.origin.url")),
    revision: dirty ? `${revision}-dirty` : revision,
  };
}

/** An https address of a repository may hold a token, which has no place in an image. */
export function withoutCredentials(url: string | undefined): string | undefined {
  return url?.replace(/^([a-z+]+:\/\/)[^/@]*@/, "$1");
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    // No git, no repository, no commit or no such setting: there is nothing to say then.
    return undefined;
  }
}

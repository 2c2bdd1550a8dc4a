import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { succeedIn } from "./run";
import { linkModules } from "./workspace";

/**
 * Copies the files of a commit of the repository, with npm packages: links to the repository's if the lock files agree, otherwise an
 * installation of its own.
 */
export async function copyCommit(repository: string, commit: string, to: string): Promise<void> {
  await extractCommit(repository, commit, to);
  const [installed, wanted] = [repository, to].map((folder) =>
    readFileSync(join(folder, "package-lock.json"), "utf8"),
  );
  if (installed === wanted) linkModules(repository, to);
  else await succeedIn(to, "npm", "ci", "--no-audit", "--no-fund");
}

/** Writes the files of a commit of the repository into a folder. */
export async function extractCommit(
  repository: string,
  commit: string,
  folder: string,
): Promise<void> {
  const archive = join(folder, ".commit.tar");
  await succeedIn(repository, "git", "archive", "--output", archive, commit);
  await succeedIn(folder, "tar", "-xf", archive);
  rmSync(archive);
}

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "@store/toolchain/system/run";
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
  else await succeed("npm", ["ci", "--no-audit", "--no-fund"], to);
}

/** Writes the files of a commit of the repository into a folder. */
export async function extractCommit(
  repository: string,
  commit: string,
  folder: string,
): Promise<void> {
  const archive = join(folder, ".commit.tar");
  await succeed("git", ["archive", "--output", archive, commit], repository);
  await succeed("tar", ["-xf", archive, "-C", folder], repository);
  rmSync(archive);
}

async function succeed(program: string, args: string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await run(program, args, { cwd });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${stderr || stdout}`);
}

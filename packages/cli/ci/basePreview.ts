import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastLines, run } from "@store/toolchain/system/run";
import type { Reporter } from "../terminal/terminal";
import { ROOT } from "../project/project";
import { runStore } from "./runStore";

/**
 * Runs an action with the summary of another revision's preview, made in a checkout of its own.
 *
 * @param revision Git revision, for example "HEAD^1".
 * @param args Arguments of `./store preview`.
 * @param action Gets the summary's file; undefined if the preview of that revision fails, for example because the stack is new.
 */
export async function withBasePreview<T>(
  revision: string,
  args: readonly string[],
  report: Reporter,
  action: (file: string | undefined) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "store-base-"));
  const checkout = join(folder, "checkout");
  try {
    report.step(`Previewing the base (${revision})`);
    const file = join(folder, "base.json");
    const problem = await previewInto(file, checkout, revision, args);
    if (problem !== undefined) {
      report.note(`the base has no preview, so changes of the base are listed, too: ${problem}`);
    }
    return await action(problem === undefined ? file : undefined);
  } finally {
    await run("git", ["worktree", "remove", "--force", checkout], { cwd: ROOT });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the summary of a revision. Returns the reason if there is none. */
async function previewInto(
  file: string,
  checkout: string,
  revision: string,
  args: readonly string[],
): Promise<string | undefined> {
  const git = await run("git", ["worktree", "add", "--detach", checkout, revision], { cwd: ROOT });
  if (git.code !== 0) return lastLines(git.stderr, 1).trim();
  const { code, stdout } = await runStore(["preview", ...args], { root: checkout });
  if (stdout.trim() === "" || code === 1) return `its preview failed (exit code ${code ?? "none"})`;
  writeFileSync(file, stdout);
  return undefined;
}

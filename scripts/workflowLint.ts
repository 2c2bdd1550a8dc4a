/** Checks the workflows in .github with actionlint and zizmor. Run by `npm run lint`. Needs no connection to GitHub. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { ensureWorkflowLinters } from "@store/toolchain/tools/workflowLinters";

const ROOT = join(__dirname, "..");

async function main(): Promise<number> {
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  const { actionlint, zizmor } = await ensureWorkflowLinters({
    step: note,
    note,
    progress: () => undefined,
  });
  const codes = [
    // shellcheck checks the `run:` steps.
    check(actionlint, ["-pyflakes="]),
    // Its online checks need a token of GitHub's, and give another result each day.
    check(zizmor, ["--offline", "--no-progress", "--quiet", ".github"]),
  ];
  return Math.max(...codes);
}

function check(program: string, args: readonly string[]): number {
  return spawnSync(program, args, { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`${error.summary}\n${error.hint ?? ""}\n`);
    process.exitCode = 1;
  },
);

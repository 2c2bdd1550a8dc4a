import { join } from "node:path";
import { run, type RunOptions, type RunResult } from "@store/toolchain/system/run";
import { ROOT } from "../project/project";

/** Runs another store command. Prints its messages as they come. */
export function runStore(
  args: readonly string[],
  options: RunOptions & { readonly root?: string } = {},
): Promise<RunResult> {
  const { root = ROOT, ...others } = options;
  return run(process.execPath, [join(root, "store"), ...args], {
    cwd: root,
    onErrorLine: (line) => void process.stderr.write(`${line}\n`),
    ...others,
  });
}

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import * as os from "node:os";
import { CliError } from "@store/docker/cliError";

/**
 * Runs an action with a temporary folder, and removes the folder even if the process exits. `--one-file-system` spares the file
 * systems that debootstrap has mounted in it, until debootstrap unmounts them.
 */
export async function inScratchFolder(
  folder: string,
  asRoot: readonly string[],
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const remove = (): void => {
    const script =
      'for i in 1 2 3 4 5 6; do rm -rf --one-file-system "$1" 2>/dev/null && exit; sleep 0.5; done; exit 1';
    const [command, ...args] = [...asRoot, "sh", "-c", script, "sh", folder];
    const { status } = spawnSync(command, args, { stdio: "ignore" });
    if (status !== 0)
      throw new CliError(`${folder} can't be removed.`, { hint: "Remove it by hand." });
  };
  remove();
  mkdirSync(folder, { recursive: true });
  process.once("exit", remove);
  // Move the handler behind those that end child processes, which still write into the folder.
  const moveToEnd = (): void => {
    process.off("exit", remove);
    process.once("exit", remove);
  };
  SIGNALS.forEach((signal) => process.prependListener(signal, moveToEnd));
  try {
    await action(folder);
  } finally {
    SIGNALS.forEach((signal) => process.off(signal, moveToEnd));
    process.off("exit", remove);
    remove();
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs an action during which SIGINT, SIGTERM and SIGHUP cause an ordinary exit. Their default action would skip the "exit" handlers,
 * which clean up and release locks. Signals with other handlers aren't changed.
 */
export async function exitingOnSignals<T>(action: () => Promise<T>): Promise<T> {
  const signals = SIGNALS.filter((signal) => process.listenerCount(signal) === 0);
  const exit = (signal: NodeJS.Signals): never => process.exit(128 + os.constants.signals[signal]);
  signals.forEach((signal) => process.once(signal, exit));
  try {
    return await action();
  } finally {
    signals.forEach((signal) => process.off(signal, exit));
  }
}

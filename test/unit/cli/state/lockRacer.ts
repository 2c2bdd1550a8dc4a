import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import { takeLock } from "@store/cli/state/locks";

/**
 * Takes the lock of a dead process again and again, in competition with other processes that run this file, and leaves it behind as if
 * this process had died. Exits with code 1 if it has the lock while another process has it.
 *
 * Arguments: the lock's file, the text of a dead process' lock, the number of rounds.
 */
const [file = "", deadLock = "", rounds = ""] = process.argv.slice(2);
const working = `${file}.working`;
process.setMaxListeners(0);

for (let round = 0; round < Number(rounds);) {
  try {
    takeLock(file, "dev", "up dev");
  } catch (error) {
    if (error instanceof CliError) continue;
    throw error;
  }
  round++;
  if (existsSync(working)) {
    process.stderr.write(`two processes have the lock in round ${round}\n`);
    process.exit(1);
  }
  writeFileSync(working, "");
  const end = Date.now() + 2;
  while (Date.now() < end);
  rmSync(working, { force: true });
  const left = `${file}.${process.pid}.left`;
  writeFileSync(left, deadLock);
  renameSync(left, file);
}

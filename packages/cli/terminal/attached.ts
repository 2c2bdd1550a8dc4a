import { spawn } from "node:child_process";
import { CliError } from "@store/docker/cliError";

/**
 * Runs a program on this terminal and returns its exit code. Ctrl-C is left to the program.
 *
 * @param packages Debian packages that contain the program, for the error message.
 * @throws CliError if the program isn't installed or can't be started.
 */
export async function runAttached(
  program: string,
  args: readonly string[],
  packages: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const ignoreInterrupt = (): void => undefined;
  process.on("SIGINT", ignoreInterrupt);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: "inherit", env });
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") {
        reject(new CliError(`The ${program} command can't be started: ${error.message}.`));
        return;
      }
      reject(
        new CliError(`The ${program} command isn't installed.`, {
          hint: `Install it (Debian, Ubuntu: apt-get install ${packages}).`,
        }),
      );
    });
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignoreInterrupt));
}

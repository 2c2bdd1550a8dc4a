import { spawn } from "node:child_process";
import { CliError } from "@store/docker/cliError";
import { remoteHost, sshArguments } from "../../host/remoteHost";
import { openSession, StackOptions } from "../../project/session";

export interface SshOptions extends StackOptions {
  /** @default a shell */
  readonly command: readonly string[];
}

/** @returns the exit code of the command, or of the shell. */
export async function ssh(options: SshOptions): Promise<number> {
  const host = await remoteHost(openSession(options));
  // Ctrl-C is for whatever runs over there.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    const child = spawn("ssh", [...sshArguments(host), ...options.command], { stdio: "inherit" });
    child.once("error", () =>
      reject(
        new CliError("The ssh command isn't installed.", {
          hint: "Install it (Debian, Ubuntu: apt-get install openssh-client).",
        }),
      ),
    );
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}

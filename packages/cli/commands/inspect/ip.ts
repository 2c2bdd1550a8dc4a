import { ExitCode } from "@store/docker/cliError";
import { remoteHost } from "../../host/remoteHost";
import { isLocal, openSession, StackOptions } from "../../project/session";

/** Prints the address of the stack's host. */
export async function ip(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const address = isLocal(session) ? "127.0.0.1" : (await remoteHost(session)).access.address;
  process.stdout.write(`${address}\n`);
  return ExitCode.Ok;
}

import { ExitCode } from "@store/docker/cliError";
import { remoteHost } from "../../host/remoteHost";
import { isLocal, openSession, StackOptions } from "../../project/session";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

export const ip = defineCommand<StackFlags, StackOptions>({
  name: "ip",
  summary: "print the address of the stack's host",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store ip staging"],
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

async function run(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const address = isLocal(session) ? "127.0.0.1" : (await remoteHost(session)).access.address;
  process.stdout.write(`${address}\n`);
  return ExitCode.Ok;
}

import { ExitCode } from "@store/docker/cliError";
import { daemonAddress } from "@store/docker/endpoint";
import { daemonIn } from "../../docker/stackDaemonCheck";
import { remoteHost } from "../../host/remoteHost";
import { dockerEndpoint, isLocal, openSession, Session, StackOptions } from "../../project/session";
import { readStackCheckpoint } from "../../state/state";
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
  const address = isLocal(session)
    ? daemonAddress(daemonHost(session))
    : (await remoteHost(session)).access.address;
  process.stdout.write(`${address}\n`);
  return ExitCode.Ok;
}

/** Returns the address of a local stack's Docker: that of its resources, or the one that an `up` would use. */
function daemonHost(session: Session): string {
  const checkpoint = readStackCheckpoint(session.state, session.stack.name);
  return (checkpoint && daemonIn(checkpoint)?.host) ?? dockerEndpoint(session).host;
}

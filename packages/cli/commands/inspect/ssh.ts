import { remoteHost, sshArguments } from "../../host/remoteHost";
import { isVmStopped, VmStopped } from "../../host/stoppedVm";
import { openSession, StackOptions } from "../../project/session";
import { runAttached } from "../../terminal/attached";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface SshOptions extends StackOptions {
  /** Command to run on the host. Empty for a login shell. */
  readonly command: readonly string[];
}

export const ssh = defineCommand<StackFlags, SshOptions>({
  name: "ssh",
  summary: "log in to the stack's host, or run a command there",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store ssh staging", "./store ssh staging -- docker ps"],
  notes: "The exit code is the command's, 255 if ssh fails.",
  parse: ({ args: [stack], flags, rest }) => ({ ...parseStack(flags, stack), command: rest }),
  run,
});

/** Exit code by which ssh reports that it has no connection. */
const CONNECTION_FAILED = 255;

/** Returns the exit code of the remote command or shell. */
async function run(options: SshOptions): Promise<number> {
  const session = openSession(options);
  const host = await remoteHost(session);
  const args = [...sshArguments(host), ...options.command];
  const code = await runAttached("ssh", args, "openssh-client");
  if (code === CONNECTION_FAILED && (await isVmStopped(session))) {
    throw new VmStopped(session.stack.name);
  }
  return code;
}

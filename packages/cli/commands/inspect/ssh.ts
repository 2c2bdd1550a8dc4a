import { Option } from "commander";
import { UsageError } from "@store/docker/cliError";
import { remoteHost, sshArguments } from "../../host/remoteHost";
import { isVmStopped, VmStopped } from "../../host/stoppedVm";
import { openSession, StackOptions } from "../../project/session";
import { runAttached } from "../../terminal/attached";
import { defineCommand, wholeNumber } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface SshFlags extends StackFlags {
  readonly host: number;
}

interface SshOptions extends StackOptions {
  /** Number of the machine. */
  readonly machine: number;
  /** Command to run on the host. Empty for a login shell. */
  readonly command: readonly string[];
}

export const ssh = defineCommand<SshFlags, SshOptions>({
  name: "ssh",
  summary: "log in to the stack's host, or run a command there",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("--host <n>", "number of the machine: 0 for the host, from 1 for the workers")
      .argParser(wholeNumber)
      .default(0),
  ],
  examples: [
    "./store ssh staging",
    "./store ssh staging -- docker ps",
    "./store ssh staging --host 1",
  ],
  notes: "The exit code is the command's, 255 if ssh fails.",
  parse: ({ args: [stack], flags, rest }) => ({
    ...parseStack(flags, stack),
    machine: flags.host,
    command: rest,
  }),
  run,
});

/** Exit code by which ssh reports that it has no connection. */
const CONNECTION_FAILED = 255;

/** Returns the exit code of the remote command or shell. */
async function run(options: SshOptions): Promise<number> {
  const session = openSession(options);
  const host = await remoteHost(session);
  const { workers = [] } = host.access;
  if (options.machine > workers.length) {
    throw new UsageError(
      `The stack ${session.stack.name} has no machine ${options.machine}.`,
      workers.length === 0
        ? "It has one machine: leave out --host."
        : `Its machines: 0 to ${workers.length}.`,
    );
  }
  const args = [...sshArguments(host, options.machine), ...options.command];
  const code = await runAttached("ssh", args, "openssh-client");
  if (code === CONNECTION_FAILED && (await isVmStopped(session))) {
    throw new VmStopped(session.stack.name);
  }
  return code;
}

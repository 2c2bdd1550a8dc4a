import { Option } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { shellQuote } from "../../../../components/shell/shell";
import { connect } from "../../docker/connect";
import { exportCommands, RESTORE_COMMANDS } from "../../host/shellEnvironment";
import { openSession, StackOptions } from "../../project/session";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

interface EnvOptions extends StackOptions {
  /** Print the commands that restore the environment. */
  readonly unset: boolean;
}

export const env = defineCommand<StackFlags & { readonly unset?: boolean }, EnvOptions>({
  name: "env",
  summary: "print shell commands that point the docker command at the stack's host",
  arguments: [STACK_ARGUMENT],
  flags: [...STACK_FLAGS, new Option("--unset", "print the commands that undo it")],
  examples: [
    'eval "$(./store env staging)"',
    'eval "$(./store env --unset)"    restores the environment',
  ],
  parse: ({ args: [stack], flags }) => ({
    ...parseStack(flags, stack),
    unset: flags.unset === true,
  }),
  run,
});

async function run(options: EnvOptions): Promise<ExitCode> {
  process.stdout.write(options.unset ? UNSET : await pointDocker(options));
  return ExitCode.Ok;
}

async function pointDocker(options: StackOptions): Promise<string> {
  const session = openSession(options);
  const { env: dockerEnv, remote } = await connect(session);
  const name = session.stack.name;
  return [
    ...(remote
      ? [
          // The docker command has no options for the host key and the login key: an `ssh` wrapper first on PATH adds them.
          `export STORE_PATH="\${STORE_PATH-$PATH}";`,
          `export PATH=${shellQuote(`${remote.bin}:`)}"$STORE_PATH";`,
        ]
      : []),
    ...exportCommands(dockerEnv),
    `# Point the docker command at stack ${name}:  eval "$(${storeCommand("env", name)})"`,
    `# Undo it:  eval "$(./store env --unset)"`,
    "",
  ].join("\n");
}

const UNSET = [
  ...RESTORE_COMMANDS,
  `[ -z "\${STORE_PATH-}" ] || export PATH="$STORE_PATH";`,
  "unset STORE_PATH;",
  "",
].join("\n");

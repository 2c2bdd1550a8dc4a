import { connect } from "../../docker/connect";
import { ExitCode } from "@store/docker/cliError";
import { openSession, StackOptions } from "../../project/session";

export interface EnvOptions extends StackOptions {
  readonly unset?: boolean;
}

/** Prints shell commands after which the docker command talks to the stack's host. */
export async function env(options: EnvOptions): Promise<ExitCode> {
  process.stdout.write(options.unset ? UNSET : await setting(options));
  return ExitCode.Ok;
}

async function setting(options: StackOptions): Promise<string> {
  const session = openSession(options);
  const { env: wanted, remote } = await connect(session);
  const name = session.stack.name;
  return [
    ...(remote
      ? [
          // A folder with an ssh in front, which knows the host's key and our login key: the docker command has no options for them.
          `export STORE_PATH="\${STORE_PATH-$PATH}";`,
          `export PATH=${quoted(`${remote.bin}:`)}"$STORE_PATH";`,
        ]
      : []),
    `export DOCKER_HOST=${quoted(wanted["DOCKER_HOST"] ?? "")};`,
    `# The docker command now talks to the stack ${name}. Run this to have it so:  eval "$(./store env ${name})"`,
    `# And back again:  eval "$(./store env --unset)"`,
    "",
  ].join("\n");
}

const UNSET = `unset DOCKER_HOST;
[ -z "\${STORE_PATH-}" ] || export PATH="$STORE_PATH";
unset STORE_PATH;
`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

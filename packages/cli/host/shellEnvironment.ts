import { shellQuote } from "../../../components/shell/shell";

/**
 * Variables that select the daemon of the docker command. `./store env` sets them in the user's shell, and saves the previous values
 * in variables with the prefix {@link SAVED}. Variables for another daemon's TLS would break the connection.
 */
const VARIABLES = ["DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"];

const SAVED = "STORE_SAVED_";

/** Shell commands that set the variables as in the environment, and save the previous values. */
export function exportCommands(env: NodeJS.ProcessEnv): string[] {
  return VARIABLES.flatMap((name) => {
    const saved = `${SAVED}${name}`;
    const value = env[name];
    return [
      `export ${saved}="\${${saved}-\${${name}-}}";`,
      value === undefined ? `unset ${name};` : `export ${name}=${shellQuote(value)};`,
    ];
  });
}

/** Shell commands that restore the previous values. They do nothing in a shell without {@link exportCommands}. */
export const RESTORE_COMMANDS: readonly string[] = VARIABLES.flatMap((name) => {
  const saved = `${SAVED}${name}`;
  return [
    `[ -z "\${${saved}+saved}" ] || unset ${name};`,
    `[ -z "\${${saved}-}" ] || export ${name}="$${saved}";`,
    `unset ${saved};`,
  ];
});

/**
 * Undoes `./store env` in the environment of this process and its children. The variables are for the docker command; the store's own
 * commands name the stack, so that in such a shell `./store up dev` doesn't deploy dev to the host of staging, and `./store test`
 * doesn't run there.
 */
export function undoStoreEnv(env: NodeJS.ProcessEnv): void {
  for (const name of VARIABLES) {
    const saved = env[`${SAVED}${name}`];
    if (saved === undefined) continue;
    if (saved === "") Reflect.deleteProperty(env, name);
    else env[name] = saved;
    Reflect.deleteProperty(env, `${SAVED}${name}`);
  }
}

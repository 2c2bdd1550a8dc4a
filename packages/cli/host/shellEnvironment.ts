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
      value === undefined ? `unset ${name};` : `export ${name}=${quoted(value)};`,
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
 * Returns the environment as it was before `./store env`. Its variables are for the docker command; the store's own commands name
 * the stack, so that `./store up dev` in such a shell doesn't deploy dev to the host of staging.
 */
export function beforeStoreEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const changed = VARIABLES.filter((name) => env[`${SAVED}${name}`] !== undefined);
  return {
    ...env,
    ...Object.fromEntries(changed.map((name) => [name, env[`${SAVED}${name}`] || undefined])),
  };
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

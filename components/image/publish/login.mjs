/** Login at the registry. */
import { az, registryOf } from "../../registry/azure/az.mjs";
import { docker, LOOK_SECONDS } from "./docker.mjs";
import { access, registry } from "./inputs.mjs";
import { refused } from "./refused.mjs";

/** @typedef {{username: string, password: string}} Login */

/** Fixed user name that tells Azure registries that the password is an access token. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";

/** @returns {Promise<Login | undefined>} undefined for the user's own login */
export async function loginToUse() {
  const { username, password, azureRegistry } = access;
  if (azureRegistry !== undefined) return azureLogin();
  return username && password ? { username, password } : undefined;
}

/** Returns a login that is valid for three hours. */
async function azureLogin() {
  const { name, subscription } = registryOf(access.azureRegistry);
  const password = await az([
    ...["acr", "login", "--subscription", subscription, "--name", name, "--expose-token"],
    ...["--query", "accessToken", "--output", "tsv"],
  ]);
  return { username: TOKEN_USER, password };
}

/** Checks the credentials before a build that takes minutes. A look-up wouldn't, because Docker falls back to anonymous access. */
export async function logIn(/** @type {Login} */ login) {
  const { code, output } = await docker(
    ["login", "--username", login.username, "--password-stdin", registry],
    { quiet: true, seconds: LOOK_SECONDS, input: login.password },
  );
  if (code !== 0) throw refused(output);
}

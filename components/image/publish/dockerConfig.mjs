/** Configuration of the docker command for publish.mjs. */
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { lookup } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

/** @typedef {{username: string, password: string}} Login */
/** @typedef {(args: string[], options: {quiet: boolean, seconds: number}) => Promise<{code: number | null, output: string}>} Docker */

/**
 * Writes a configuration folder that has the user's own logins, credential helpers, proxies and plugins, and the login of one registry.
 * Nothing is written to the user's credential store.
 *
 * @param {string} folder
 * @param {string} registry
 * @param {Login | undefined} login Undefined for the user's own login.
 */
export function writeConfig(folder, registry, login) {
  const own = process.env.DOCKER_CONFIG || join(homedir(), ".docker");
  const { currentContext: _, ...user } = readConfig(join(own, "config.json"));
  const config = login === undefined ? user : withLogin(user, registry, login);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  const plugins = join(own, "cli-plugins");
  if (existsSync(plugins)) symlinkSync(plugins, join(folder, "cli-plugins"));
  if (login !== undefined) removeFromEnvironment(registry);
}

/**
 * Removes a registry's login from DOCKER_AUTH_CONFIG, which has precedence over the configuration folder.
 *
 * @param {string} registry
 */
function removeFromEnvironment(registry) {
  try {
    const { auths, ...rest } = JSON.parse(process.env.DOCKER_AUTH_CONFIG ?? "");
    const { [registry]: _, ...others } = auths;
    process.env.DOCKER_AUTH_CONFIG = JSON.stringify({ ...rest, auths: others });
  } catch {
    // Docker ignores an invalid value, too.
  }
}

/**
 * @param {Record<string, any>} config
 * @param {string} registry
 * @param {Login} login
 */
function withLogin(config, registry, { username, password }) {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return {
    ...config,
    auths: { ...config.auths, [registry]: { auth } },
    // An empty helper has precedence over the user's credential store and means this file.
    credHelpers: { ...config.credHelpers, [registry]: "" },
  };
}

/**
 * @param {string} file
 * @returns {Record<string, any>}
 */
function readConfig(file) {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(
      `${file} (docker's configuration) can't be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/**
 * Checks whether the daemon uses plain HTTP, or HTTPS without verification, for a registry.
 *
 * @param {string} registry
 * @param {Docker} docker
 */
export async function isInsecure(registry, docker) {
  const { code, output } = await docker(["info", "--format", "{{json .RegistryConfig}}"], {
    quiet: true,
    seconds: 60,
  });
  const [json] = /^\{.*\}$/m.exec(output) ?? [];
  if (code !== 0 || json === undefined) return false;
  const { IndexConfigs = {}, InsecureRegistryCIDRs } = JSON.parse(json);
  if (registry in IndexConfigs) return IndexConfigs[registry].Secure === false;
  const networks = new BlockList();
  for (const cidr of InsecureRegistryCIDRs ?? []) {
    const [address, bits] = cidr.split("/");
    networks.addSubnet(address, Number(bits), isIPv6(address) ? "ipv6" : "ipv4");
  }
  return (await addressesOf(registry.replace(/:\d+$/, ""))).some(({ address, family }) =>
    networks.check(address, family === 6 ? "ipv6" : "ipv4"),
  );
}

/** @param {string} host */
async function addressesOf(host) {
  try {
    return await lookup(host, { all: true });
  } catch {
    // The push reports an unknown name.
    return [];
  }
}

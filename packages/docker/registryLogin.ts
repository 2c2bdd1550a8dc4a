import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type DockerConfig, readDockerConfig } from "./endpoint";

/** A registry at which the user has logged in by `docker login`. The credentials stay in docker's configuration or credential store. */
export interface UserLogin {
  /** Address of the registry. */
  readonly address: string;
}

/** Address by which Docker's provider knows Docker Hub. */
export const DOCKER_HUB = "registry-1.docker.io";
const DOCKER_HUB_KEYS = ["https://index.docker.io/v1/", "index.docker.io", "docker.io", DOCKER_HUB];

/** Returns the address of the registry of an image's name. As in Docker, the first part is one if it has a dot or a colon. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isAddress = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isAddress && !DOCKER_HUB_KEYS.includes(first) ? first : DOCKER_HUB;
}

/**
 * Finds the user's login at a registry: in docker's configuration, its credential store or a credential helper.
 *
 * @param home The user's home folder.
 * @returns undefined if there is none, or if its helper isn't installed
 * @throws CliError if docker's configuration is invalid
 * @see https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
export function userLogin(
  registry: string,
  env: NodeJS.ProcessEnv,
  home: string,
): UserLogin | undefined {
  const config = readDockerConfig(env, home) ?? {};
  return hasLogin(registry, config, env) ? { address: registry } : undefined;
}

function hasLogin(registry: string, config: DockerConfig, env: NodeJS.ProcessEnv): boolean {
  const { auths = {}, credHelpers = {}, credsStore } = config;
  const isHub = registry === DOCKER_HUB;
  const saved = Object.entries(auths).find(([key]) =>
    isHub ? DOCKER_HUB_KEYS.includes(key) : hostOf(key) === registry,
  );
  // Docker's provider reads Docker Hub's login from the file only.
  if (isHub) return saved !== undefined && Object.keys(saved[1]).length > 0;
  const helper = credHelpers[registry] ?? credsStore;
  if (helper) return isInstalled(`docker-credential-${helper}`, env);
  return saved !== undefined && Object.keys(saved[1]).length > 0;
}

/** A key of `auths` may be a URL. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function isInstalled(command: string, env: NodeJS.ProcessEnv): boolean {
  return (env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));
}

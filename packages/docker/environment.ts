import { resolve } from "node:path";
import type { DockerEndpoint } from "./endpoint";

/**
 * Variables of docker that processes receive unchanged: logins to registries. All others would choose another daemon or builder
 * than {@link resolveDockerEndpoint}, or change what is built.
 */
const PASSED = ["DOCKER_CONFIG", "DOCKER_AUTH_CONFIG"];

const DOCKER_VARIABLES = /^(DOCKER|BUILDX|BUILDKIT)_|^EXPERIMENTAL_BUILDKIT_/;

/**
 * Environment for programs that use Docker: the docker command, the engine and its providers. They talk to the daemon at the
 * endpoint, whatever variables and context the user has set.
 *
 * @param endpoint Undefined for programs that need no daemon.
 */
export function dockerEnvironment(
  endpoint: Pick<DockerEndpoint, "host" | "certPath"> | undefined,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !DOCKER_VARIABLES.test(name) || PASSED.includes(name),
  );
  return {
    ...Object.fromEntries(kept),
    // The engine runs in another folder than the user's shell.
    ...(env["DOCKER_CONFIG"] && { DOCKER_CONFIG: resolve(env["DOCKER_CONFIG"]) }),
    ...(endpoint && endpointVariables(endpoint)),
  };
}

/** The variables that make docker and its libraries use the endpoint. DOCKER_HOST has precedence over docker's current context. */
export function endpointVariables({
  host,
  certPath,
}: Pick<DockerEndpoint, "host" | "certPath">): Readonly<Record<string, string>> {
  return {
    DOCKER_HOST: host,
    ...(certPath !== undefined && { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certPath }),
  };
}

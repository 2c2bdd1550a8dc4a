import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { CliError } from "./cliError";
import { messageOf } from "./messageOf";

/** Address of a Docker daemon, and how to connect to it. */
export interface DockerEndpoint {
  /** For example "unix:///var/run/docker.sock". */
  readonly host: string;
  /** Source of the address, for messages: for example "DOCKER_HOST". */
  readonly hostFrom: string;
  /** Absolute path of the folder with ca.pem, cert.pem and key.pem, each of which may be missing. @default no TLS */
  readonly certPath?: string;
}

export const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/**
 * Finds the Docker daemon. This function alone decides which daemon a stack uses: by the stack's configuration, otherwise as the
 * docker command does by DOCKER_HOST, DOCKER_CONTEXT, the current context in docker's configuration, or the default socket.
 *
 * @param home The user's home folder.
 * @param configured Address in the stack's configuration (store:dockerHost); empty for none.
 * @throws CliError if the context doesn't exist or docker's configuration is invalid
 * @see https://docs.docker.com/engine/manage-resources/contexts/
 */
export function resolveDockerEndpoint(
  env: NodeJS.ProcessEnv,
  home: string,
  configured = "",
): DockerEndpoint {
  const folder = configFolder(env, home);
  if (configured) return withTls({ host: configured, hostFrom: "store:dockerHost" }, folder, env);
  if (env["DOCKER_HOST"]) {
    return withTls({ host: env["DOCKER_HOST"], hostFrom: "DOCKER_HOST" }, folder, env);
  }
  const context = currentContext(env, home);
  if (context !== "default") return endpointOfContext(context, folder);
  return { host: DEFAULT_DOCKER_HOST, hostFrom: "the default" };
}

/**
 * Checks whether the ports that a daemon publishes at 127.0.0.1 are those of this machine. They aren't for a daemon behind ssh or at
 * another machine's TCP address.
 */
export function publishesHere(dockerHost: string): boolean {
  return /^(unix:|(tcp|https?):\/\/(localhost|127(\.\d+){3}|\[::1\])(:|\/|$))/.test(dockerHost);
}

/** Name or address of the daemon's machine. */
export function daemonAddress(dockerHost: string): string {
  if (publishesHere(dockerHost)) return "127.0.0.1";
  // A text that isn't an address is refused when something connects to it.
  return URL.canParse(dockerHost)
    ? new URL(dockerHost).hostname.replace(/^\[(.*)\]$/, "$1")
    : dockerHost;
}

/** Returns the name of the context that docker's libraries use in this environment. DOCKER_HOST replaces the context "default". */
export function currentContext(env: NodeJS.ProcessEnv, home: string): string {
  if (env["DOCKER_HOST"]) return "default";
  return env["DOCKER_CONTEXT"] || readDockerConfig(env, home)?.currentContext || "default";
}

/** Reads docker's configuration. Returns undefined if there is none. */
export function readDockerConfig(env: NodeJS.ProcessEnv, home: string): DockerConfig | undefined {
  return readJson(join(configFolder(env, home), "config.json")) as DockerConfig | undefined;
}

function configFolder(env: NodeJS.ProcessEnv, home: string): string {
  return env["DOCKER_CONFIG"] || join(home, ".docker");
}

/** Adds the folder of the certificates to a tcp:// endpoint if DOCKER_TLS_VERIFY is set, as the docker command does. */
function withTls(endpoint: DockerEndpoint, folder: string, env: NodeJS.ProcessEnv): DockerEndpoint {
  if (!env["DOCKER_TLS_VERIFY"] || !/^(tcp|https):/.test(endpoint.host)) return endpoint;
  return { ...endpoint, certPath: resolve(env["DOCKER_CERT_PATH"] || folder) };
}

function endpointOfContext(context: string, folder: string): DockerEndpoint {
  const id = createHash("sha256").update(context).digest("hex");
  const contexts = join(folder, "contexts");
  const meta = readJson(join(contexts, "meta", id, "meta.json")) as Meta | undefined;
  const { Host: host, SkipTLSVerify: isUnverified } = meta?.Endpoints?.docker ?? {};
  if (!host) {
    throw new CliError(`The docker context ${context} doesn't exist or has no host.`, {
      hint: "List the contexts: docker context ls. Use the local daemon: docker context use default.",
    });
  }
  if (isUnverified) {
    throw new CliError(
      `The docker context ${context} skips the verification of the daemon's certificate (skip-tls-verify), which the store refuses.`,
      {
        hint: `Add the certificates: docker context update ${context} --docker host=${host},ca=ca.pem,cert=cert.pem,key=key.pem`,
      },
    );
  }
  // The context store has the same names of files as DOCKER_CERT_PATH.
  const certificates = join(contexts, "tls", id, "docker");
  return {
    host,
    hostFrom: `the docker context ${context}`,
    ...(existsSync(certificates) && { certPath: resolve(certificates) }),
  };
}

/** The fields of docker's configuration file that the store reads. */
export interface DockerConfig {
  readonly currentContext?: string;
  readonly auths?: Readonly<Record<string, object>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface Meta {
  readonly Endpoints?: {
    readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean };
  };
}

/** Returns undefined if the file doesn't exist. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CliError(
      error instanceof SyntaxError
        ? `${file} (docker's configuration) is not valid JSON: ${error.message}`
        : `Can't read docker's configuration: ${messageOf(error)}`,
      { hint: "Fix or remove that file." },
    );
  }
}

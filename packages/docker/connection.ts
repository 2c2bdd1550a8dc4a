import { existsSync, readFileSync } from "node:fs";
import type * as http from "node:http";
import type * as https from "node:https";
import { join } from "node:path";

import type { DockerEndpoint } from "./endpoint";
import { messageOf } from "./messageOf";
import { SshAgent, sshTarget } from "./sshAgent";

/** Options for the HTTP client. */
export interface DockerConnection extends https.RequestOptions {
  readonly secure: boolean;
}

/** Checks whether the address is supported: unix, tcp, http, https or ssh. */
export function isSupported(host: string): boolean {
  return /^(unix|tcp|https?|ssh):\/\/./.test(host);
}

/** Returns the agent for a daemon behind ssh; undefined for other addresses. @throws Error if the address is invalid */
export function sshAgentFor(host: string): http.Agent | undefined {
  return host.startsWith("ssh:") ? new SshAgent(sshTarget(host)) : undefined;
}

/**
 * Connection options for a daemon's address. With TLS they contain the client's certificate.
 *
 * @throws Error if the address is not supported, or if the certificates can't be read
 */
export function connectionTo({
  host,
  certPath,
}: Pick<DockerEndpoint, "host" | "certPath">): DockerConnection {
  if (!isSupported(host)) {
    throw new Error(`${host} is not a unix://, tcp:// or ssh:// address`);
  }
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === "unix") return { socketPath: rest, host: "docker", secure: false };
  if (scheme === "ssh") return { host: "docker", secure: false };
  const secure = scheme === "https" || certPath !== undefined;
  const [, v6, name = v6 ?? "", port = secure ? 2376 : 2375] =
    /^(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?\/?$/.exec(rest) ?? [];
  if (name === "") throw new Error(`${host} contains no host name`);
  return {
    host: name,
    port: Number(port),
    secure,
    ...(certPath !== undefined && certificates(certPath)),
  };
}

/** Each file may be missing, as for the docker command: without a CA the system's are used, and not every daemon asks for a certificate. */
function certificates(folder: string): Pick<https.RequestOptions, "ca" | "cert" | "key"> {
  const read = (file: string): Buffer | undefined =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file)) : undefined;
  try {
    if (!existsSync(folder)) throw new Error(`${folder} doesn't exist`);
    return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  } catch (error) {
    throw new Error(
      `the TLS certificates can't be read (${messageOf(error)}); see DOCKER_CERT_PATH or docker context inspect`,
      { cause: error },
    );
  }
}

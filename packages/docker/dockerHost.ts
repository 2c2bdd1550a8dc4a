import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CliError } from "./cliError";
import { messageOf } from "./messageOf";

/** Address of a Docker daemon. */
export interface DockerHost {
  readonly host: string;
  /** Source of the address, for messages: for example "DOCKER_HOST". */
  readonly hostFrom: string;
}

export const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/**
 * Finds the daemon that the docker command uses: by DOCKER_HOST, DOCKER_CONTEXT, the current context in docker's configuration, or
 * the default socket.
 *
 * @param home The user's home folder.
 * @throws CliError if the context doesn't exist or docker's configuration is invalid
 * @see https://docs.docker.com/engine/manage-resources/contexts/
 */
export function localDockerHost(env: NodeJS.ProcessEnv, home: string): DockerHost {
  if (env["DOCKER_HOST"]) return { host: env["DOCKER_HOST"], hostFrom: "DOCKER_HOST" };
  const folder = env["DOCKER_CONFIG"] || join(home, ".docker");
  const config = readJson(join(folder, "config.json")) as Config | undefined;
  const context = env["DOCKER_CONTEXT"] || config?.currentContext;
  if (!context || context === "default") {
    return { host: DEFAULT_DOCKER_HOST, hostFrom: "the default" };
  }
  const id = createHash("sha256").update(context).digest("hex");
  const meta = readJson(join(folder, "contexts", "meta", id, "meta.json")) as Meta | undefined;
  const host = meta?.Endpoints?.docker?.Host;
  if (!host) {
    throw new CliError(`The docker context ${context} doesn't exist or has no host.`, {
      hint: "List the contexts: docker context ls. Use the local daemon: docker context use default.",
    });
  }
  return { host, hostFrom: `the docker context ${context}` };
}

interface Config {
  readonly currentContext?: string;
}

interface Meta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
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

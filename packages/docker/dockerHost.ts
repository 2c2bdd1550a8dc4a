import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CliError } from "./cliError";

/** A Docker daemon's address, and who says so. */
export interface DockerHost {
  readonly host: string;
  /** "DOCKER_HOST", say: for a message about it. */
  readonly hostFrom: string;
}

export const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/**
 * Which daemon the docker command would talk to, so that all of us always mean the same one: DOCKER_HOST, DOCKER_CONTEXT, the
 * current context of its configuration, the usual socket.
 *
 * @param home The user's home folder.
 * @throws CliError
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
    throw new CliError(
      `The docker context ${context} is in use, but does not exist or names no host.`,
      {
        hint: "See `docker context ls`; `docker context use default` goes back to the local daemon.",
      },
    );
  }
  return { host, hostFrom: `the docker context ${context}` };
}

interface Config {
  readonly currentContext?: string;
}

interface Meta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

/** @returns undefined where there is no such file. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CliError(
      error instanceof SyntaxError
        ? `The docker command's ${file} is not valid JSON: ${error.message}`
        : `The docker command's configuration can't be read: ${String(error)}`,
      { hint: "Fix or remove that file." },
    );
  }
}

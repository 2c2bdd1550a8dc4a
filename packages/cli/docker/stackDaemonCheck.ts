import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import type { DockerEndpoint } from "@store/docker/endpoint";
import { endpointVariables } from "@store/docker/environment";
import { shellQuote } from "../../../components/shell/shell";
import { dockerEndpoint, Session } from "../project/session";
import { Checkpoint } from "../state/checkpoint";
import { StackDaemon } from "../state/stackDaemon";
import { readStackCheckpoint } from "../state/state";
import { storeCommand } from "../project/storeCommand";
import { CONTAINER_TYPE, NETWORK_TYPE, VOLUME_TYPE } from "../state/resourceTypes";

export const PROVIDER_TYPE = "pulumi:providers:docker";

/** Returns the ID that a daemon keeps in its data folder. */
export async function daemonId(docker: Docker): Promise<string> {
  return (await docker.get<{ ID?: string }>("/info"))?.ID ?? "";
}

/**
 * Checks that a local stack's resources are on this daemon. Without effect for a state on a backend of the user's, which is slow to
 * read.
 *
 * @throws CliError
 */
export async function checkStackDaemon(session: Session, docker: Docker): Promise<void> {
  const { state, stack } = session;
  const checkpoint = readStackCheckpoint(state, stack.name);
  if (checkpoint !== undefined) await checkDaemonOf(checkpoint, session, docker);
}

/** Checks that the resources in the state are on this daemon, possibly under another address. @throws CliError */
export async function checkDaemonOf(
  checkpoint: Checkpoint,
  session: Session,
  docker: Docker,
): Promise<void> {
  const stackDaemon = daemonIn(checkpoint);
  if (stackDaemon === undefined || stackDaemon.host === docker.host) return;
  const { host } = stackDaemon;
  const recorded = new StackDaemon(session.state, session.stack.name).read();
  if (recorded?.host === host && recorded.id === (await daemonId(docker))) return;
  if (!(await hasResources(docker, checkpoint))) throw otherDaemon(session, stackDaemon);
}

/** Returns the Docker daemon in a local stack's state; undefined if the state has none. */
export function daemonIn(
  checkpoint: Checkpoint,
): Pick<DockerEndpoint, "host" | "certPath"> | undefined {
  for (const { type, inputs } of checkpoint.resources) {
    const { host, certPath } = inputs ?? {};
    if (type !== PROVIDER_TYPE || typeof host !== "string") continue;
    return typeof certPath === "string" && certPath !== "" ? { host, certPath } : { host };
  }
  return undefined;
}

/** Checks whether the daemon has one of the stack's resources, or the stack has none. Their IDs are random. */
export async function hasResources(docker: Docker, checkpoint: Checkpoint): Promise<boolean> {
  const paths = checkpoint.resources.flatMap(({ type, id }) =>
    id === undefined ? [] : (INSPECT[type]?.(id) ?? []),
  );
  for (const path of paths) {
    if ((await docker.get(path)) !== undefined) return true;
  }
  return paths.length === 0;
}

const INSPECT: Readonly<Record<string, (id: string) => string>> = {
  [CONTAINER_TYPE]: (id) => `/containers/${id}/json`,
  [NETWORK_TYPE]: (id) => `/networks/${id}`,
  [VOLUME_TYPE]: (name) => `/volumes/${name}`,
};

function otherDaemon(
  session: Session,
  stackDaemon: Pick<DockerEndpoint, "host" | "certPath">,
): CliError {
  const { name } = session.stack;
  const { host, hostFrom } = dockerEndpoint(session);
  const stackHost = stackDaemon.host;
  const isConfigured = hostFrom === "store:dockerHost";
  const variables = Object.entries(endpointVariables(stackDaemon)).filter(
    ([variable]) => !isConfigured || variable !== "DOCKER_HOST",
  );
  const back = [
    ...(isConfigured ? [storeCommand(`pulumi config set dockerHost ${stackHost}`, name)] : []),
    ...variables.map(([variable, value]) => `export ${variable}=${shellQuote(value)}`),
  ].join("; ");
  return new CliError(
    `The stack ${name} is on the Docker daemon at ${stackHost}, but ${hostFrom} selects another daemon: ${host}.`,
    {
      hint:
        `Nothing was changed. Use the stack's daemon: ${back}\n` +
        `To run the store on both, copy Pulumi.${name}.yaml to a file with another stack's name.\n` +
        `If the daemon at ${stackHost} is gone for ever, with its data, forget its resources: ${storeCommand("pulumi state delete --all --force --yes", name)}`,
    },
  );
}

import { connect } from "./connect";
import { listContainers, StoreContainer } from "./containers";
import { CliError } from "@store/docker/cliError";
import { stackOutputs } from "../state/outputs";
import { storeCommand } from "../project/project";
import { isLocal, Session } from "../project/session";

/** URL of the store: the host's address and the gateway's published port. Undefined if the gateway isn't running. */
export function storeUrl(
  containers: readonly StoreContainer[],
  address: string,
): string | undefined {
  const gateway = containers.find(({ role, state }) => role === "gateway" && state === "running");
  const port = gateway?.ports[0]?.port;
  return port === undefined ? undefined : `http://${address}${port === 80 ? "" : `:${port}`}`;
}

/**
 * Returns the URL of the store, from Docker for a local host, otherwise from the stack's outputs.
 *
 * @throws CliError if the store isn't up
 */
export async function fetchStoreUrl(session: Session): Promise<string> {
  const { project, stack } = session;
  let url: string | undefined;
  if (isLocal(session)) {
    const { docker, address } = await connect(session);
    url = storeUrl(await listContainers(docker, project.name, stack.name), address);
  } else {
    ({ url } = await stackOutputs(session));
  }
  if (url !== undefined) return url;
  throw new CliError(`The gateway of the stack ${stack.name} isn't running.`, {
    hint: `Start it: ${storeCommand("up", stack.name)}`,
  });
}

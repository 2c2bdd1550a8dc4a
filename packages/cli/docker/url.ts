import { connect } from "./connect";
import { listContainers, StoreContainer } from "./containers";
import { CliError } from "@store/docker/cliError";
import { stackOutputs } from "../state/outputs";
import { storeCommand } from "../project/project";
import { isLocal, Session } from "../project/session";

/** Where the store answers: the gateway's port of the host, as Docker has it; undefined while there is no gateway. */
export function storeUrl(
  containers: readonly StoreContainer[],
  address: string,
): string | undefined {
  const gateway = containers.find(({ role, state }) => role === "gateway" && state === "running");
  const port = gateway?.ports[0]?.port;
  return port === undefined ? undefined : `http://${address}${port === 80 ? "" : `:${port}`}`;
}

/** @throws CliError where the store isn't up. On this machine Docker is asked, elsewhere the stack's outputs say it. */
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
  throw new CliError(`The gateway of the stack ${stack.name} doesn't run.`, {
    hint: `Bring it up: ${storeCommand("up", stack.name)}`,
  });
}

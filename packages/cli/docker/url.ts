import { connect } from "./connect";
import { hostIn } from "./hostDocker";
import { StoreContainer } from "./containers";
import { CliError } from "@store/docker/cliError";
import { sshTarget } from "@store/docker/sshAgent";
import { stackOutputs } from "../state/outputs";
import { isLocal, Session } from "../project/session";
import { Checkpoint, CONTAINER_TYPE } from "../state/checkpoint";
import { foreignContainersNote, stackContainers } from "./stackContainers";
import { storeCommand } from "../project/storeCommand";

/** URL of the store: the host's address and the gateway's published port. Undefined if the gateway isn't running. */
export function storeUrl(
  containers: readonly StoreContainer[],
  address: string,
): string | undefined {
  const gateway = containers.find(({ role, state }) => role === "gateway" && state === "running");
  const port = gateway?.ports[0]?.port;
  return port === undefined ? undefined : httpUrl(address, port);
}

/** URL of a remote store by the stack's state, while Docker on its host may be off. Undefined if it has no host or no gateway. */
export function urlInState(checkpoint: Checkpoint | undefined): string | undefined {
  const host = hostIn(checkpoint);
  const gateway = checkpoint?.resources.find(
    ({ type, delete: isOriginal, inputs }) =>
      type === CONTAINER_TYPE && !isOriginal && inputs?.["ports"] !== undefined,
  );
  const [published] = (gateway?.inputs?.["ports"] ?? []) as readonly { external?: number }[];
  if (host === undefined || published?.external === undefined) return undefined;
  return httpUrl(new URL(host.url).hostname, published.external);
}

function httpUrl(address: string, port: number): string {
  return `http://${address}${port === 80 ? "" : `:${port}`}`;
}

/**
 * Checks whether the ports that a daemon publishes at 127.0.0.1 are those of this machine. They aren't for a daemon behind ssh or at
 * another machine's TCP address.
 */
export function publishesHere(dockerHost: string): boolean {
  return /^(unix:|(tcp|https?):\/\/(localhost|127(\.\d+){3}|\[::1\])(:|\/|$))/.test(dockerHost);
}

/** Command that makes the gateway of a local stack reachable here whose daemon is behind ssh; undefined for other daemons. */
export function sshTunnel(dockerHost: string, url: string): string | undefined {
  if (!dockerHost.startsWith("ssh:")) return undefined;
  const port = new URL(url).port || "80";
  return ["ssh", "-N", "-L", `${port}:127.0.0.1:${port}`, ...sshTarget(dockerHost).args].join(" ");
}

/**
 * Returns the URL of the store, from Docker for a local host, otherwise from the stack's outputs.
 *
 * @throws CliError if the store isn't up
 */
export async function fetchStoreUrl(session: Session): Promise<string> {
  const stack = session.stack.name;
  let url: string | undefined;
  let foreign = "";
  if (isLocal(session)) {
    const { docker, address } = await connect(session);
    const containers = await stackContainers(session, docker);
    url = storeUrl(containers, address);
    if (containers.length === 0) foreign = await foreignContainersNote(session, docker);
  } else {
    ({ url } = await stackOutputs(session));
  }
  if (url !== undefined) return url;
  throw new CliError(
    `The gateway of the stack ${stack} isn't running.${foreign && ` ${foreign}`}`,
    { hint: `Start it: ${storeCommand("up", stack)}` },
  );
}

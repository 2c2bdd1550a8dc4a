import { connect } from "../connect";
import { hostIn } from "../hostDocker";
import { LABEL } from "../../../../components/container/labelNames";
import { type StoreContainer } from "../containers";
import { CliError } from "@store/docker/cliError";
import { daemonAddress, publishesHere } from "@store/docker/endpoint";
import { sshTarget } from "@store/docker/sshAgent";
import { stackOutputs } from "../../state/outputs";
import { isLocal, Session } from "../../project/session";
import { Checkpoint } from "../../state/checkpoint";
import { foreignContainersNote, stackContainers } from "../stackContainers";
import { storeCommand } from "../../project/storeCommand";
import { CONTAINER_TYPE } from "../../state/resourceTypes";

/** URL of the store: its name with HTTPS, otherwise the host's address and the gateway's published port. Undefined if the gateway isn't running. */
export function storeUrl(
  containers: readonly StoreContainer[],
  address: string,
): string | undefined {
  const gateway = containers.find(({ role, state }) => role === "gateway" && state === "running");
  if (gateway?.url !== undefined) return gateway.url;
  const port = gateway?.ports[0]?.port;
  return port === undefined ? undefined : httpUrl(address, port);
}

/** Address of a remote store by the stack's state, while Docker on its host may be off. Undefined if it has no host or no gateway. */
export function addressInState(
  checkpoint: Checkpoint | undefined,
): { readonly url: string; readonly host: string } | undefined {
  const found = hostIn(checkpoint);
  const inputs = checkpoint?.resources.find(
    ({ type, delete: isOriginal, inputs }) =>
      type === CONTAINER_TYPE && !isOriginal && inputs?.["ports"] !== undefined,
  )?.inputs;
  const [published] = (inputs?.["ports"] ?? []) as readonly { external?: number }[];
  if (found === undefined || published?.external === undefined) return undefined;
  const host = new URL(found.url).hostname;
  const labels = (inputs?.["labels"] ?? []) as readonly { label: string; value: string }[];
  const named = labels.find(({ label }) => label === LABEL.url)?.value;
  return { url: named ?? httpUrl(host, published.external), host };
}

function httpUrl(address: string, port: number): string {
  return `http://${address}${port === 80 ? "" : `:${port}`}`;
}

/** Says where a local stack's URL is valid, as a sentence; undefined if it is valid on this machine. */
export function elsewhereNote(dockerHost: string, url: string): string | undefined {
  if (publishesHere(dockerHost)) return undefined;
  const tunnel = sshTunnel(dockerHost, url);
  return (
    `The store's address is ${url} on the machine ${daemonAddress(dockerHost)}, for that machine only.` +
    (tunnel === undefined ? "" : ` Reach it from here: ${tunnel}, then open ${urlInTunnel(url)}`)
  );
}

/** The URL at the tunnel's end on this machine, and what a name of the store's own needs there. */
function urlInTunnel(url: string): string {
  const { protocol, hostname } = new URL(url);
  const name = hostname === "localhost" ? "" : ` with "127.0.0.1 ${hostname}" in /etc/hosts`;
  return `${protocol}//${hostname}:${tunnelPort(portOf(url))}${name}`;
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === "https:" ? 443 : 80));
}

/** Only root may listen on the ports below 1024. */
function tunnelPort(port: number): number {
  return port < 1024 ? port + 8000 : port;
}

/** Command that makes the gateway of a local stack reachable here whose daemon is behind ssh; undefined for other daemons. */
export function sshTunnel(dockerHost: string, url: string): string | undefined {
  if (!dockerHost.startsWith("ssh:")) return undefined;
  const port = portOf(url);
  const forward = `${tunnelPort(port)}:127.0.0.1:${port}`;
  return ["ssh", "-N", "-L", forward, ...sshTarget(dockerHost).args].join(" ");
}

/** Address of a store. */
export interface StoreAddress {
  readonly url: string;
  /** The URL is valid on another machine only: a sentence that says so. */
  readonly elsewhere?: string;
}

/**
 * Returns the URL of the store, from Docker for a local host, otherwise from the stack's outputs.
 *
 * @throws CliError if the store isn't up
 */
export async function fetchStoreUrl(session: Session): Promise<StoreAddress> {
  const stack = session.stack.name;
  let url: string | undefined;
  let elsewhere: string | undefined;
  let foreign = "";
  if (isLocal(session)) {
    const { docker, address } = await connect(session);
    const containers = await stackContainers(session, docker);
    url = storeUrl(containers, address);
    elsewhere = url && elsewhereNote(docker.host, url);
    if (containers.length === 0) foreign = await foreignContainersNote(session, docker);
  } else {
    ({ url } = await stackOutputs(session));
  }
  if (url !== undefined) return { url, elsewhere };
  throw new CliError(
    `The gateway of the stack ${stack} isn't running.${foreign && ` ${foreign}`}`,
    { hint: `Start it: ${storeCommand("up", stack)}` },
  );
}

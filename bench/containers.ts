import { succeed } from "../test/support/run";
import { Container, TestStore } from "../test/integration/support/testStore";

/** Returns the first running container of a service or of the gateway. */
export async function containerOf(store: TestStore, service: string): Promise<Container> {
  const all = await store.containers("status=running");
  const found = all.find((one) => one.service === service && one.role !== "database");
  if (found === undefined) throw new Error(`${service} isn't running`);
  return found;
}

/** Docker's default network. This machine reaches its containers, but none on the store's own, isolated networks. */
const REACHABLE_NETWORK = "bridge";

/** Returns an IP address at which this machine reaches a running container, which is attached to Docker's default network for that. */
export async function addressOf({ id, name }: Container): Promise<string> {
  const format = `{{with .NetworkSettings.Networks.${REACHABLE_NETWORK}}}{{.IPAddress}}{{end}}`;
  const inspect = (): Promise<string> => docker("inspect", "--format", format, id);
  const attached = await inspect();
  if (attached !== "") return attached;
  await docker("network", "connect", REACHABLE_NETWORK, id);
  const address = await inspect();
  if (address === "") throw new Error(`${name} has no IP address`);
  return address;
}

/** Detaches a container from the network to which {@link addressOf} has attached it, as an `up` expects it. */
export async function detach({ id }: Container): Promise<void> {
  await docker("network", "disconnect", REACHABLE_NETWORK, id);
}

/** Runs the docker command. @returns its output without white space at both ends. @throws an error if it fails. */
export async function docker(...args: string[]): Promise<string> {
  return (await succeed("docker", ...args)).trim();
}

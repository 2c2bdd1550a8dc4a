import { docker, dockerQuietly, labelled, namesOf } from "./docker";
import { distrustRegistry } from "./registry/daemonTrust";
import { type Registry, registryAddress, startRegistry } from "./registry/registry";

/** What a rehearsal has beside its cloud: a network in Docker, and the registry in it. */
export interface Environment {
  readonly id: string;
  readonly network: string;
  readonly registry: Registry;
}

export async function createEnvironment(id: string, registryImage: string): Promise<Environment> {
  const { network, ip } = await makeNetwork(id);
  const registry = await startRegistry({ id, image: registryImage, network, ip });
  return { id, network, registry };
}

/**
 * Removes all that a rehearsal has in Docker, by its label, and the daemon's trust in its registry: also of one whose process
 * was killed.
 *
 * @param registryImage Image of the registry. @default there was none yet
 */
export async function removeEverything(id: string, registryImage?: string): Promise<void> {
  for (const name of await namesOf("container", id))
    await docker("rm", "--force", "--volumes", name);
  for (const name of await namesOf("volume", id)) await docker("volume", "rm", name);
  for (const name of await namesOf("network", id)) {
    const subnet = await docker("network", "inspect", "--format", SUBNET, name);
    const address = registryAddress(registryIp(subnet));
    if (registryImage !== undefined) await distrustRegistry(registryImage, address);
    await removeImages(await imagesOf(address));
    await docker("network", "rm", name);
  }
}

/** What was pushed to the registry is also on this machine, under its address. */
export async function imagesOf(address: string): Promise<string[]> {
  const list = await docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}");
  return list.split("\n").filter((name) => name.startsWith(`${address}/`));
}

export async function removeImages(names: readonly string[]): Promise<void> {
  for (const name of names) await dockerQuietly("image", "rm", name);
}

const SUBNET = "{{(index .IPAM.Config 0).Subnet}}";

/** The first address after Docker's own. */
function registryIp(subnet: string): string {
  return subnet.replace(/0\/24$/, "2");
}

/** With a subnet that is chosen here, because only in such a one an address can be chosen as well. */
async function makeNetwork(id: string): Promise<{ network: string; ip: string }> {
  const network = `store-rehearsal-${id}`;
  for (let third = 0; third < 250; third++) {
    const subnet = `10.213.${third}.0/24`;
    const made = await dockerQuietly(
      ...["network", "create", ...labelled(id)],
      // The registry keeps its address while it is down: the others get theirs from the upper half.
      ...["--subnet", subnet, "--ip-range", subnet.replace("0/24", "128/25"), network],
    );
    if (made) return { network, ip: registryIp(subnet) };
  }
  throw new Error("Docker makes no network for the rehearsal: all of 10.213.0.0/16 is in use.");
}

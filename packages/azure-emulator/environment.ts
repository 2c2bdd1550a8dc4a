import { docker, dockerQuietly, labelled, namesOf } from "./docker";
import type { DockerSubnet } from "./network/machineFilter";
import { distrustRegistry } from "./registry/daemonTrust";
import { type Registry, registryAddress, startRegistry } from "./registry/registry";

/** The Docker network of a rehearsal, and the registry in it. */
export interface Environment {
  readonly id: string;
  readonly network: string;
  readonly subnet: DockerSubnet;
  readonly registry: Registry;
}

export async function createEnvironment(id: string, registryImage: string): Promise<Environment> {
  const { network, ip } = await createNetwork(id);
  const registry = await startRegistry({ id, image: registryImage, network, ip });
  // The dynamic addresses are above.
  const subnet = { prefix: ip.replace(/\.\d+$/, ""), reserved: 128 };
  return { id, network, subnet, registry };
}

/**
 * Removes everything that a rehearsal has in Docker, by label, and the daemon's trust in the registry's CA.
 *
 * @param registryImage Image of the registry. @default no registry was started
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

/** Returns this machine's images that are tagged for the registry with this address. */
export async function imagesOf(address: string): Promise<string[]> {
  const list = await docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}");
  return list.split("\n").filter((name) => name.startsWith(`${address}/`));
}

export async function removeImages(names: readonly string[]): Promise<void> {
  for (const name of names) await dockerQuietly("image", "rm", name);
}

const SUBNET = "{{(index .IPAM.Config 0).Subnet}}";

/** Returns the first address after the network's gateway. */
function registryIp(subnet: string): string {
  return subnet.replace(/0\/24$/, "2");
}

/** Creates a network with an explicit subnet, because Docker assigns static addresses only in such networks. */
async function createNetwork(id: string): Promise<{ network: string; ip: string }> {
  const network = `store-rehearsal-${id}`;
  for (let third = 0; third < 250; third++) {
    const subnet = `10.213.${third}.0/24`;
    const created = await dockerQuietly(
      ...["network", "create", ...labelled(id)],
      // Dynamic addresses come from the upper half, so that no other container gets the registry's address while it is down.
      ...["--subnet", subnet, "--ip-range", subnet.replace("0/24", "128/25")],
      // Otherwise the first address of that range.
      ...["--gateway", subnet.replace("0/24", "1"), network],
    );
    if (created) return { network, ip: registryIp(subnet) };
  }
  throw new Error(
    "Docker can't create a network for the rehearsal: all subnets of 10.213.0.0/16 are in use. Remove unused networks (`docker network prune`).",
  );
}

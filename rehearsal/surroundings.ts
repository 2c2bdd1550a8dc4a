import { docker, dockerQuietly, LABEL, namesOf } from "./docker";
import { ensureRegistryImage } from "./images";
import { distrust, Registry, startRegistry } from "./registry/registry";
import { Reporter } from "../toolchain/report";

/** What a rehearsal has beside its cloud: a network in Docker, and the registry in it. */
export interface Surroundings {
  readonly id: string;
  readonly network: string;
  readonly registry: Registry;
  readonly registryImage: string;
}

export async function makeSurroundings(
  id: string,
  host: string,
  report: Reporter,
): Promise<Surroundings> {
  const registryImage = await ensureRegistryImage(host, report);
  const { network, ip } = await makeNetwork(id);
  const registry = await startRegistry({ id, image: registryImage, network, ip });
  return { id, network, registry, registryImage };
}

/**
 * Removes all that a rehearsal has in Docker, by its label, and the daemon's trust in its registry: also of one whose process
 * was killed.
 */
export async function removeEverything(
  id: string,
  registry?: { readonly image: string; readonly address: string },
): Promise<void> {
  for (const name of await namesOf("container", id))
    await docker("rm", "--force", "--volumes", name);
  for (const name of await namesOf("volume", id)) await docker("volume", "rm", name);
  for (const name of await namesOf("network", id)) await docker("network", "rm", name);
  if (registry !== undefined) await distrust(registry.image, registry.address);
}

/** With a subnet that is chosen here, because only in such a one an address can be chosen as well. */
async function makeNetwork(id: string): Promise<{ network: string; ip: string }> {
  const network = `store-rehearsal-${id}`;
  for (let third = 0; third < 250; third++) {
    const made = await dockerQuietly(
      ...[
        "network",
        "create",
        "--label",
        `${LABEL}=${id}`,
        "--subnet",
        `10.213.${third}.0/24`,
        network,
      ],
    );
    if (made) return { network, ip: `10.213.${third}.2` };
  }
  throw new Error("Docker makes no network for the rehearsal: all of 10.213.0.0/16 is in use.");
}

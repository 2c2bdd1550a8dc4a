import type { Reporter } from "@store/toolchain/system/report";
import type { Cloud } from "./arm/cloud";
import type { Resource, View } from "./arm/resourceType";
import type { Hardware } from "./arm/state/hardware";
import { isAllocated } from "./arm/state/machineFailure";
import { MACHINE } from "./arm/types/compute/references";
import { suiteOf } from "./arm/types/compute/vmImage";
import { textAt } from "./arm/values";
import { docker, dockerQuietly } from "./docker";
import type { Environment } from "./environment";
import { ensureMachineImage } from "./images";
import { growDiskOf, removeDiskOf } from "./machine/disks";
import { bootMachine, removeMachine, setMachinePower } from "./machine/machine";
import { machineName } from "./machine/names";
import { type PlainMachine, plainMachines } from "./machine/plainMachine";
import type { Firewall } from "./network/firewall";
import { containerAddress, filterScript } from "./network/machineFilter";
import { placesOfMachine, routesOf } from "./network/rules";
import type { AzureAccounts } from "./registry/accounts";
import { emptyRegistry, setAccounts } from "./registry/registry";
import type { Settings } from "./settings";

/** Everything that the containers behind the emulated resources need. */
export interface HardwareContext {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly firewall: Firewall;
  readonly accounts: AzureAccounts;
  readonly faults: () => readonly string[];
  readonly report: Reporter;
}

/** Returns the hardware that consists of containers and volumes on this machine's Docker daemon. */
export function dockerHardware(context: HardwareContext): Hardware {
  const { settings, environment, firewall, accounts, faults, report } = context;
  const { id } = settings;
  const { network, subnet, registry } = environment;
  return {
    boot: async (machine, cloud) => {
      const suite = suiteOf(machine.properties);
      if (suite === undefined)
        throw new Error(`The Azure emulator can't boot the image of ${machine.name}.`);
      const image = await ensureMachineImage(suite, settings.dockerHost, report);
      const withoutPackages = faults().includes("cloud-init");
      const [place] = placesOfMachine(machine, cloud);
      const address = place && containerAddress(place, subnet);
      await bootMachine(machine, cloud, { id, image, network, address, registry, withoutPackages });
      report.note(`${machine.name} boots as ${machineName(id, textAt(machine.computed, "vmId"))}`);
    },
    shutDown: (machine) => removeMachine(machine, id),
    setPower: async (machine, state, cloud) => {
      await setMachinePower(machine, cloud, id, state);
      // A container may get another address when it starts again.
      addresses.delete(machineName(id, textAt(machine.computed, "vmId")));
      filters.delete(textAt(machine.computed, "vmId"));
    },
    growDisk: (disk, cloud) => growDiskOf(disk, cloud, id),
    removeDisk: (disk) => removeDiskOf(disk, id),
    emptyRegistry: () => emptyRegistry(id),
    applyAccessRules: async (cloud) => {
      await firewall.setRoutes(routesOf(cloud));
      for (const machine of cloud.all(MACHINE)) await applyFilter(machine, cloud, context);
      await setAccounts(id, registry, accounts.of(cloud));
    },
  };
}

/** Boots machines outside of Azure, which are in one network. */
export async function bootPlainMachines(
  { settings, environment, firewall, report }: HardwareContext,
  cloud: Cloud,
): Promise<PlainMachine[]> {
  const image = await ensureMachineImage(settings.suite, settings.dockerHost, report);
  const machines = await plainMachines(settings.plainMachines);
  for (const { resource } of machines)
    await bootMachine(resource, cloud, {
      id: settings.id,
      image,
      network: environment.network,
      registry: environment.registry,
      withoutPackages: false,
    });
  await firewall.setRoutes(machines.map(({ route }) => route));
  return machines.map(({ machine }) => machine);
}

/** Applied script of each VM, by its vmId. A VM that reboots by itself loses its rules until the next change of them. */
const filters = new Map<string, string>();
/** The scripts run one after the other: two for the same VM would add each rule twice. */
let filtering = Promise.resolve();

/** Makes a VM that runs apply its security groups to the traffic within the network. */
function applyFilter(
  machine: Resource,
  cloud: View,
  { settings, environment }: HardwareContext,
): Promise<void> {
  const vmId = textAt(machine.computed, "vmId");
  const script = filterScript(machine, cloud, environment.subnet);
  if (!isAllocated(machine) || machine.powerState === "deallocated") return Promise.resolve();
  filtering = filtering.then(async () => {
    if (filters.get(vmId) === script) return;
    // A VM may be deleted meanwhile.
    const container = machineName(settings.id, vmId);
    if (await dockerQuietly("exec", container, "sh", "-c", script)) filters.set(vmId, script);
  });
  return filtering;
}

const addresses = new Map<string, string>();

/** Returns the IP address of a container; undefined if it doesn't exist. It is cached, because it stays the same while it runs. */
export async function addressOf(container: string): Promise<string | undefined> {
  const known = addresses.get(container);
  if (known !== undefined) return known;
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const address = await docker("inspect", "--format", format, container).catch(() => "");
  if (address !== "") addresses.set(container, address);
  return address === "" ? undefined : address;
}

import { badRequest, conflict } from "../../armError";
import { invalid, Put, referenced, sameId } from "../../resourceType";
import { at, textAt } from "../../values";
import { INTERFACE, interfacesOf, MACHINE } from "./references";
import { sizeOf } from "./vmSize";

export function validateInterfaces(put: Put): void {
  const ids = interfacesOf(put.properties);
  if (ids.length === 0)
    throw invalid("networkProfile.networkInterfaces", "at least one is required.");
  for (const id of ids) {
    referenced(put, "networkProfile.networkInterfaces", id, INTERFACE);
    const user = put.cloud
      .all(MACHINE)
      .find(
        (other) =>
          !sameId(other.id, put.id) &&
          interfacesOf(other.properties).some((used) => sameId(used, id)),
      );
    if (user === undefined) continue;
    throw conflict("NicInUse", `Network Interface ${id} is used by existing resource ${user.id}.`);
  }
}

/**
 * Rejects a VM whose network interface Azure keeps for another VM, whose creation failed within the last three minutes.
 *
 * @see https://github.com/Azure/karpenter-provider-azure/issues/92
 */
export function validateReservation({ properties, id, before, cloud }: Put): void {
  if (before !== undefined) return;
  const holders = interfacesOf(properties).map((nic) => cloud.reservedFor(nic));
  const holder = cloud.limits.interfacesReserved
    ? `${id.slice(0, id.lastIndexOf("/"))}/another`
    : holders.find((machine) => machine !== undefined && !sameId(machine, id));
  if (holder !== undefined) throw reserved(holder);
}

export function reserved(machine: string): Error {
  return badRequest(
    "NicReservedForAnotherVm",
    `Nic(s) in request is reserved for another Virtual Machine for 180 seconds. Please provide another nic(s) or retry ` +
      `after 180 seconds. Reserved VM: ${machine}`,
  );
}

/** Rejects an interface with accelerated networking on a size that doesn't have it. */
export function validateAcceleration({ properties, cloud, name }: Put): void {
  const size = sizeOf(properties);
  if (size.acceleratedNetworking) return;
  const accelerated = interfacesOf(properties).some(
    (nic) => at(cloud.get(nic)?.properties, "enableAcceleratedNetworking") === true,
  );
  if (!accelerated) return;
  throw badRequest(
    "VMSizeIsNotPermittedToEnableAcceleratedNetworking",
    `VM size ${textAt(properties, "hardwareProfile.vmSize")} of the VM ${name} is not permitted to have a network interface ` +
      `with accelerated networking.`,
  );
}

import { ArmError } from "../armError";
import type { Clock } from "./clock";
import { Resource, ResourceType, sameId } from "../resourceType";
import { interfacesOf, MACHINE } from "../types/compute/references";
import type { Properties } from "../values";

/** Time in seconds for which Azure keeps a network interface for a VM whose creation failed. */
const SECONDS = 180;

/** Messages of refusals after which Azure keeps the interfaces: no capacity, no quota. Invalid requests are refused before. */
const RESERVING = /SkuNotAvailable|exceeding approved .* quota/;

/**
 * Network interfaces that Azure keeps for a VM whose creation failed.
 *
 * @see https://github.com/rancher/machine/issues/359
 */
export class Reservations {
  private readonly held = new Map<string, { readonly machine: string; readonly until: number }>();

  /** @param latencyFactor Multiplies the duration, like that of all requests: 0 is without reservations. */
  constructor(
    private readonly clock: Clock,
    private readonly latencyFactor: number,
  ) {}

  /** Reserves the interfaces of a VM if its creation failed for one of these reasons. */
  creationFailed(type: ResourceType, id: string, properties: Properties, error: unknown): void {
    if (type.token !== MACHINE || !(error instanceof ArmError)) return;
    if (!RESERVING.test(error.message)) return;
    const until = this.clock.now() + SECONDS * 1000 * this.latencyFactor;
    for (const nic of interfacesOf(properties))
      this.held.set(nic.toLowerCase(), { machine: id, until });
  }

  /** Ends the reservations for a VM that exists now. */
  created(machine: Resource): void {
    for (const [nic, held] of this.held)
      if (sameId(held.machine, machine.id)) this.held.delete(nic);
  }

  /** Returns the ID of the VM for which an interface is reserved. */
  holderOf(nic: string): string | undefined {
    const held = this.held.get(nic.toLowerCase());
    return held !== undefined && held.until > this.clock.now() ? held.machine : undefined;
  }
}

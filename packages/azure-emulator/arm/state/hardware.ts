import type { Resource, View } from "../resourceType";

/** Creates and removes the containers and volumes behind the emulated resources. */
export interface Hardware {
  boot(machine: Resource, cloud: View): Promise<void>;
  shutDown(machine: Resource): Promise<void>;
  /** Switches a VM off or on again; its disks stay. */
  setPower(machine: Resource, state: PowerState, cloud: View): Promise<void>;
  /** Gives a disk its new, larger size, also while a VM uses it. */
  growDisk(disk: Resource, cloud: View): Promise<void>;
  removeDisk(disk: Resource): Promise<void>;
  emptyRegistry(): Promise<void>;
  /** Applies the firewall rules and the registry's permissions. Called after every change. */
  applyAccessRules(cloud: View): Promise<void>;
}

export type PowerState = NonNullable<Resource["powerState"]>;

import type { Suite } from "@store/toolchain/images/releases";
import type { PlainMachine } from "./machine/plainMachine";

/** Input of the emulator's process (settings.json). */
export interface Settings {
  /** Short ID of the rehearsal, part of the names and labels of everything in Docker. */
  readonly id: string;
  /** URL of this machine's Docker daemon. */
  readonly dockerHost: string;
  /** Multiplies the typical duration of each request in Azure: 1 is as slow as Azure, 0 is without delay. */
  readonly latencyFactor: number;
  /** Number of machines outside of Azure to boot, with SSH, one login and without Docker. */
  readonly plainMachines: number;
  /** Release that those machines have, and which is prepared for the VMs. */
  readonly suite: Suite;
  /** Name of a DNS zone that exists before the stack, in a resource group of its own. @default none */
  readonly dnsZone?: string;
}

/** Message to the emulator's process while it runs. */
export interface Message {
  /** Keep running after the parent process has ended. */
  readonly keep?: boolean;
  /** ID of a resource to delete, as if it were deleted in the portal. */
  readonly deleteResource?: string;
  /** Change the VMs, as policies of a company do. */
  readonly touchMachines?: boolean;
}

/** Output of the emulator's process when it is ready (ready.json). */
export interface Ready {
  readonly pid: number;
  /** Port of the provider, for PULUMI_DEBUG_PROVIDERS. */
  readonly port: number;
  readonly registry: {
    readonly address: string;
    readonly username: string;
    readonly password: string;
    readonly image: string;
    /** Name of the registry's container. */
    readonly container: string;
  };
  readonly machines: readonly PlainMachine[];
  /** ID of the DNS zone. */
  readonly dnsZone?: string;
  /** URL for the emulated command `az`. */
  readonly az: string;
}

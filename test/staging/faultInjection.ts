import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@store/azure-emulator/arm/faults";
import { MACHINE } from "@store/azure-emulator/arm/types/compute/references";
import { GROUP } from "@store/azure-emulator/arm/types/resources";
import { CloudProcess } from "@store/azure-emulator/cloudProcess";
import {
  killRegistry,
  restartRegistry,
  untilUploading,
} from "@store/azure-emulator/registry/registry";

/** Something that is broken while a command runs. */
export interface Breakage {
  /** What the stack is configured with meanwhile. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly mend: () => Promise<void>;
}

/** Breaks it where it is: in the stack's configuration, in the registry, in the cloud behind the engine's back, or in the cloud itself. */
export async function breakBy(fault: string, cloud: CloudProcess): Promise<Breakage> {
  const { container, address, username } = cloud.ready.registry;
  switch (fault as Fault) {
    case "key":
      return configured({ "store:sshPublicKey": NO_KEY, "store:sshPrivateKey": NO_KEY });
    case "registry-login":
      return configured({
        "store:registry": { address, namespace: "store", username, password: "not this one" },
      });
    case "registry-away":
      await killRegistry(container);
      return { mend: () => restartRegistry(container, address) };
    case "push-cut": {
      const cut = untilUploading(container).then(() => killRegistry(container));
      cut.catch(() => undefined);
      return {
        mend: async () => {
          // The command has ended: whoever hasn't pushed by now never will.
          await Promise.race([cut, sleep(1000).then(neverPushed)]);
          await restartRegistry(container, address);
        },
      };
    }
    case "vm-gone":
      await cloud.deleteByHand(MACHINE);
      return configured({});
    case "group-gone":
      await cloud.deleteByHand(GROUP);
      return configured({});
    default: {
      cloud.breakBy(fault);
      const mend = (): Promise<void> => {
        cloud.mend();
        return Promise.resolve();
      };
      return NEVER_READY.includes(fault) ? { config: { "store:readyMinutes": 1 }, mend } : { mend };
    }
  }
}

/** For these we wait as long as we are told to, and no longer. */
const NEVER_READY: readonly string[] = ["silent", "ssh-refused"] satisfies Fault[];

/** Looks like one. */
const NO_KEY = `ssh-ed25519 ${"A".repeat(68)} nobody@nowhere`;

function configured(config: Readonly<Record<string, unknown>>): Breakage {
  return { config, mend: () => Promise.resolve() };
}

function neverPushed(): never {
  throw new Error("Nothing was pushed, and so nothing was cut.");
}

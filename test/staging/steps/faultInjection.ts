import { setTimeout as sleep } from "node:timers/promises";
import { CATALOGUE } from "@store/azure-emulator/arm/catalogue";
import { type Fault, FAULTS, isFault } from "@store/azure-emulator/arm/faults";
import { MACHINE } from "@store/azure-emulator/arm/types/compute/references";
import { GROUP } from "@store/azure-emulator/arm/types/resources";
import type { EmulatorProcess } from "@store/azure-emulator/emulatorProcess";
import {
  killRegistry,
  restartRegistry,
  untilUploading,
} from "@store/azure-emulator/registry/registry";
import { type RehearsalContext, STACK } from "../context";
import { CommandFailed } from "../../support/workspace";

/** An active fault. */
interface InjectedFault {
  /** Values of the stack's configuration while the fault is active. @default none */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Ends the fault. */
  readonly clear: () => Promise<void>;
}

/** Checks the names of faults. @throws an error that lists all faults. */
export function checkFaults(faults: readonly string[]): void {
  const unknown = faults.find((fault) => !isFault(fault, CATALOGUE.keys()));
  if (unknown === undefined) return;
  const list = Object.entries(FAULTS).map(([name, { what }]) => `  ${name.padEnd(20)} ${what}`);
  const types = [...CATALOGUE.keys()].map((token) => token.split(":").at(-1)).join(", ");
  throw new Error(
    `Unknown fault "${unknown}". The faults are\n${list.join("\n")}\n` +
      `and TYPE:create, TYPE:update, TYPE:remove for ${types}.`,
  );
}

/**
 * Runs a command while a fault is active, and checks that it fails with one message.
 *
 * @returns the first line of the message.
 */
export async function failWith(
  context: RehearsalContext,
  command: "up" | "down",
  fault: string,
): Promise<string> {
  const { config, clear } = await injectFault(fault, context.emulator);
  context.configure(config);
  const volumes = command === "down" ? ["--volumes"] : [];
  const { code, output } = await context.workspace.run(command, STACK, "--yes", ...volumes);
  context.configure();
  if (code === 0)
    throw new CommandFailed(`./store ${command} succeeded in spite of the fault ${fault}.`, output);
  await clear();
  if (/^ +at .*:\d+:\d+\)?$/m.test(output))
    throw new CommandFailed("The message contains a stack trace.", output);
  // Details, and the engine's own output, have the word in other places.
  const message = output.slice([...output.matchAll(/^error: /gm)].at(-1)?.index).trim();
  // The real Azure has no such error: the fault must have broken the emulator itself.
  if (/docker [a-z]+ failed:/.test(message))
    throw new CommandFailed("The message is about the emulator's own Docker.", output);
  context.options.report.note(message.split("\n").join("\n  "));
  return message.split("\n")[0] ?? "";
}

/** Injects a fault: in the stack's configuration, in the registry, or in the emulated cloud. */
export async function injectFault(
  fault: string,
  emulator: EmulatorProcess,
): Promise<InjectedFault> {
  const { container, address, username } = emulator.ready.registry;
  switch (fault as Fault) {
    case "key":
      return configured({
        "store:sshPublicKey": INVALID_KEY,
        "store:sshPrivateKey": INVALID_KEY,
      });
    case "registry-login":
      return configured({
        "store:registry": { address, namespace: "store", username, password: "wrong-password" },
      });
    case "registry-away":
      await killRegistry(container);
      return { clear: () => restartRegistry(container, address) };
    case "push-cut":
      return killDuringPush(container, address);
    case "vm-gone":
      await emulator.deleteResource(MACHINE);
      return configured({});
    case "encryption-at-host":
      emulator.injectFault(fault);
      return { ...clearing(emulator), config: { "store:encryptionAtHost": true } };
    case "locks-forbidden":
      emulator.injectFault(fault);
      return { ...clearing(emulator), config: { "store:dataDiskLock": true } };
    case "group-gone":
      await emulator.deleteResource(GROUP);
      return configured({});
    default:
      emulator.injectFault(fault);
      return {
        ...clearing(emulator),
        ...(NEVER_READY.includes(fault) && { config: { "store:readyMinutes": 1 } }),
      };
  }
}

function clearing(emulator: EmulatorProcess): InjectedFault {
  return {
    clear: () => {
      emulator.clearFaults();
      return Promise.resolve();
    },
  };
}

/** Faults under which the command waits for the whole `store:readyMinutes`. */
const NEVER_READY: readonly string[] = ["silent", "ssh-refused"] satisfies Fault[];

/** Has the format of a public key, but an invalid content. */
const INVALID_KEY = `ssh-ed25519 ${"A".repeat(68)} nobody@nowhere`;

function killDuringPush(container: string, address: string): InjectedFault {
  const killed = untilUploading(container).then(() => killRegistry(container));
  killed.catch(() => undefined);
  return {
    clear: async () => {
      // The command has ended, so no further push can start.
      await Promise.race([killed, sleep(1000).then(throwNothingPushed)]);
      await restartRegistry(container, address);
    },
  };
}

function configured(config: Readonly<Record<string, unknown>>): InjectedFault {
  return { config, clear: () => Promise.resolve() };
}

function throwNothingPushed(): never {
  throw new Error("No push was interrupted, because nothing was pushed.");
}

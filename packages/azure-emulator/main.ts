/**
 * The process that plays Azure for one rehearsal: the provider that the engine talks to, the machines, the way to them. It
 * is started by `./store rehearse` and goes on until it is told to end; then it removes all that it has made.
 *
 *     tsx packages/azure-emulator/main.ts FOLDER
 *
 * FOLDER/settings.json says how; FOLDER/ready.json is there when it is ready; FOLDER/faults names what is broken.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { Cloud, Hardware } from "./arm/cloud";
import { messageOf } from "@store/docker/messageOf";
import { suiteOf } from "./arm/types/compute/vmImage";
import { textAt } from "./arm/values";
import { docker } from "./docker";
import { ensureMachineImage, ensureRegistryImage } from "./images";
import { OWNER_FILE, removeOrphans } from "./orphans";
import { processIdentity } from "@store/toolchain/system/processIdentity";
import { bootMachine, machineName, removeDiskOf, removeMachine } from "./machine/machine";
import { PlainMachine, plainMachine } from "./machine/plainMachine";
import { routesOf } from "./network/rules";
import { ClosedPorts, Firewall, listenProblem } from "./network/firewall";
import { AzureCli, serveCli } from "./azureCli/azureCli";
import { AzureAccounts } from "./registry/accounts";
import { setAccounts, registryContainer, emptyRegistry } from "./registry/registry";
import { Provider } from "./provider/provider";
import { serve } from "./provider/server";
import { createEnvironment, removeEverything, Environment } from "./environment";
import { Message, Ready, Settings } from "./settings";

async function main(folder: string): Promise<void> {
  const settings = JSON.parse(readFileSync(path.join(folder, "settings.json"), "utf8")) as Settings;
  writeFileSync(path.join(folder, OWNER_FILE), processIdentity());
  const report = { step: say, note: say, progress: () => undefined };
  await ensureMachineImage("bookworm", settings.dockerHost, report);
  const registryImage = await ensureRegistryImage(settings.dockerHost, report);
  await validateTakenPorts();

  let kept = false;
  const end = async (code: number): Promise<never> => {
    await removeEverything(settings.id, registryImage);
    process.exit(code);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(0));
  // Whoever has started us was killed: nobody else would ever end this.
  process.once("disconnect", () => (kept ? undefined : void end(0)));
  try {
    for (const dead of await removeOrphans(registryImage))
      say(`Removed what the rehearsal ${dead}, which was killed, had left.`);
    const around = await createEnvironment(settings.id, registryImage);
    const faults = (): string[] => faultsIn(folder);
    const wall = new Firewall(
      (machine) => addressOf(machineName(settings.id, machine)),
      () => closedUnder(faults()),
    );
    const accounts = new AzureAccounts();
    const cloud = new Cloud({
      file: path.join(folder, "cloud.json"),
      pace: settings.pace,
      faults,
      mended: (fault) => mend(folder, fault),
      registryAddress: around.registry.address,
      hardware: hardwareOf(settings, around, wall, accounts, faults),
    });
    await wall.follow(routesOf(cloud));
    const machine = settings.plainMachine
      ? await bootPlain(settings, around, cloud, wall)
      : undefined;
    process.on("message", ({ keep, deleteByHand }: Message) => {
      kept ||= keep === true;
      if (deleteByHand !== undefined) void deleteIn(cloud, deleteByHand);
    });
    const { port } = await serve(new Provider(cloud, faults));
    const az = await serveCli(new AzureCli(cloud, accounts, faults));
    const { address, username, password } = around.registry;
    const ready: Ready = {
      pid: process.pid,
      port,
      registry: {
        address,
        username,
        password,
        image: registryImage,
        container: registryContainer(settings.id),
      },
      machine,
      az,
    };
    write(path.join(folder, "ready.json"), JSON.stringify(ready));
  } catch (error) {
    say(messageOf(error));
    await end(1);
  }
}

function hardwareOf(
  settings: Settings,
  { network, registry }: Environment,
  wall: Firewall,
  accounts: AzureAccounts,
  faults: () => readonly string[],
): Hardware {
  const report = { step: say, note: say, progress: () => undefined };
  return {
    boot: async (machine, cloud) => {
      const suite = suiteOf(machine.properties) ?? "bookworm";
      const image = await ensureMachineImage(suite, settings.dockerHost, report);
      const withoutPackages = faults().includes("cloud-init");
      await bootMachine(machine, cloud, {
        id: settings.id,
        image,
        network,
        registry,
        withoutPackages,
      });
      say(`${machine.name} boots as ${machineName(settings.id, textAt(machine.computed, "vmId"))}`);
    },
    shutDown: (machine) => removeMachine(machine, settings.id),
    removeDisk: (disk) => removeDiskOf(disk, settings.id),
    emptyRegistry: () => emptyRegistry(settings.id),
    connect: async (cloud) => {
      await wall.follow(routesOf(cloud));
      await setAccounts(settings.id, registry, accounts.of(cloud));
    },
  };
}

async function bootPlain(
  settings: Settings,
  { network, registry }: Environment,
  cloud: Cloud,
  wall: Firewall,
): Promise<PlainMachine> {
  const { machine, resource, way } = await plainMachine();
  const report = { step: say, note: say, progress: () => undefined };
  const image = await ensureMachineImage("bookworm", settings.dockerHost, report);
  const around = { id: settings.id, image, network, registry, withoutPackages: false };
  await bootMachine(resource, cloud, around);
  await wall.follow([way]);
  return machine;
}

function closedUnder(faults: readonly string[]): ClosedPorts {
  if (faults.includes("silent") || faults.includes("unreachable")) return "silent";
  return faults.includes("ssh-refused") ? [22] : [];
}

async function deleteIn(cloud: Cloud, id: string): Promise<void> {
  try {
    await cloud.remove(id);
  } catch (error) {
    say(`${id} can't be deleted by hand: ${messageOf(error)}`);
  }
}

const addresses = new Map<string, string>();

/** A container's address stays while it runs; none for one that was deleted by hand. */
async function addressOf(container: string): Promise<string | undefined> {
  const known = addresses.get(container);
  if (known !== undefined) return known;
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const address = await docker("inspect", "--format", format, container).catch(() => "");
  if (address !== "") addresses.set(container, address);
  return address === "" ? undefined : address;
}

/** Told before anything is made, and not by the machine that can't be reached. */
async function validateTakenPorts(): Promise<void> {
  for (const port of [22, 80]) {
    const problem = await listenProblem("127.77.0.1", port);
    if (problem === undefined) continue;
    say(problem);
    process.exit(1);
  }
}

function faultsIn(folder: string): string[] {
  const file = path.join(folder, "faults");
  return existsSync(file) ? readFileSync(file, "utf8").split(/\s+/).filter(Boolean) : [];
}

function mend(folder: string, fault: string): void {
  const left = faultsIn(folder).filter((one) => one !== fault);
  const file = path.join(folder, "faults");
  if (left.length > 0) write(file, left.join("\n"));
  else rmSync(file, { force: true });
}

function write(file: string, text: string): void {
  writeFileSync(`${file}.draft`, text, { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [, , folder] = process.argv;
if (folder === undefined)
  throw new Error("Which folder? tsx packages/azure-emulator/main.ts FOLDER");
void main(folder);

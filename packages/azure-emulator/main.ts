/**
 * Process of the Azure emulator for one rehearsal: the provider for the engine, the VMs, and the network between them.
 * `./store rehearse` starts it and ends it with SIGTERM; it then removes everything that it has created.
 *
 *     tsx packages/azure-emulator/main.ts FOLDER
 *
 * Reads FOLDER/settings.json and FOLDER/faults (the active faults); writes FOLDER/ready.json when it is ready.
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { messageOf } from "@store/docker/messageOf";
import { replaceFile } from "@store/docker/replaceFile";
import { processIdentity } from "@store/toolchain/system/processIdentity";
import { Cloud } from "./arm/cloud";
import { ZONE } from "./arm/types/dns";
import { GROUP } from "./arm/types/resources";
import { AzureCli, serveCli } from "./azureCli/azureCli";
import { createEnvironment, removeEverything } from "./environment";
import { activeFaults, clearFault } from "./faultsFile";
import { addressOf, bootPlainMachines, dockerHardware, type HardwareContext } from "./hardware";
import { ensureMachineImage, ensureRegistryImage } from "./images";
import { machineName } from "./machine/names";
import type { PlainMachine } from "./machine/plainMachine";
import { type ClosedPorts, Firewall, listenProblem } from "./network/firewall";
import { routesOf } from "./network/rules";
import { OWNER_FILE, removeOrphans } from "./orphans";
import { Provider } from "./provider/provider";
import { serve } from "./provider/server";
import { AzureAccounts } from "./registry/accounts";
import { registryContainer } from "./registry/registry";
import type { Message, Ready, Settings } from "./settings";

const report = { step: print, note: print, progress: () => undefined };

async function main(folder: string): Promise<void> {
  const settings = JSON.parse(readFileSync(path.join(folder, "settings.json"), "utf8")) as Settings;
  writeFileSync(path.join(folder, OWNER_FILE), processIdentity());
  await ensureMachineImage(settings.suite, settings.dockerHost, report);
  const registryImage = await ensureRegistryImage(settings.dockerHost, report);
  await checkPorts();

  const parent = { keep: false };
  const end = async (code: number): Promise<never> => {
    await removeEverything(settings.id, registryImage);
    process.exit(code);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(0));
  // The parent process was killed, and can't send a signal any more.
  process.once("disconnect", () => (parent.keep ? undefined : void end(0)));
  try {
    for (const orphan of await removeOrphans(registryImage))
      print(`Removed the remains of the rehearsal ${orphan}, whose process was killed.`);
    const ready = await start(folder, settings, registryImage, parent);
    replaceFile(path.join(folder, "ready.json"), JSON.stringify(ready), { mode: 0o600 });
  } catch (error) {
    print(messageOf(error));
    await end(1);
  }
}

async function start(
  folder: string,
  settings: Settings,
  registryImage: string,
  parent: { keep: boolean },
): Promise<Ready> {
  const environment = await createEnvironment(settings.id, registryImage);
  const faults = (): string[] => activeFaults(folder);
  const firewall = new Firewall(
    (vmId) => addressOf(machineName(settings.id, vmId)),
    () => closedPorts(faults()),
  );
  const accounts = new AzureAccounts();
  const context = { settings, environment, firewall, accounts, faults, report };
  const cloud = new Cloud({
    file: path.join(folder, "cloud.json"),
    latencyFactor: settings.latencyFactor,
    faults,
    onFaultOccurred: (fault) => clearFault(folder, fault),
    registryAddress: environment.registry.address,
    hardware: dockerHardware(context),
  });
  await firewall.setRoutes(routesOf(cloud));
  const dnsZone = settings.dnsZone && (await createZone(cloud, settings.dnsZone));
  const machines = settings.plainMachines > 0 ? await bootPlainMachines(context, cloud) : [];
  process.on("message", (message: Message) => {
    parent.keep ||= message.keep === true;
    void applyInPortal(cloud, message).catch((error: unknown) => print(messageOf(error)));
  });
  const ready = await serveApis(cloud, context, registryImage, machines);
  return { ...ready, ...(dnsZone && { dnsZone }) };
}

/** Creates a DNS zone in a resource group of its own. Returns its ID. */
async function createZone(cloud: Cloud, zoneName: string): Promise<string> {
  const inGroup = { resourceGroupName: "dns" };
  await cloud.create(GROUP, { ...inGroup, location: "australiaeast" });
  return (await cloud.create(ZONE, { ...inGroup, zoneName, location: "global" })).id;
}

async function serveApis(
  cloud: Cloud,
  { settings, environment, accounts, faults }: HardwareContext,
  registryImage: string,
  machines: readonly PlainMachine[],
): Promise<Ready> {
  const { port } = await serve(new Provider(cloud, faults));
  const az = await serveCli(new AzureCli(cloud, accounts, faults));
  const { address, username, password } = environment.registry;
  const container = registryContainer(settings.id);
  return {
    pid: process.pid,
    port,
    registry: { address, username, password, image: registryImage, container },
    machines,
    az,
  };
}

function closedPorts(faults: readonly string[]): ClosedPorts {
  if (faults.includes("silent") || faults.includes("unreachable")) return "silent";
  return [
    ...(faults.includes("ssh-refused") ? [22] : []),
    ...(faults.includes("http-closed") ? [80] : []),
  ];
}

/** Applies changes that somebody makes in the portal: without the engine's knowledge. */
async function applyInPortal(
  cloud: Cloud,
  { deleteResource, touchMachines }: Message,
): Promise<void> {
  if (deleteResource !== undefined) await cloud.removeInPortal(deleteResource);
  if (touchMachines === true) cloud.touchMachines();
}

/** Checks at the start that the firewall can listen on the ports, instead of failing minutes later. */
async function checkPorts(): Promise<void> {
  for (const port of [22, 80, 443]) {
    const problem = await listenProblem("127.77.0.1", port);
    if (problem === undefined) continue;
    print(problem);
    process.exit(1);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [, , folder] = process.argv;
if (folder === undefined) {
  throw new Error("The folder is missing. Usage: tsx packages/azure-emulator/main.ts FOLDER");
}
void main(folder);

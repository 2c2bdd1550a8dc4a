import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readState } from "./arm/state/stateFile";
import { type Resource, sameId } from "./arm/resourceType";
import { MACHINE } from "./arm/types/compute/references";
import { RECORD_SET } from "./arm/types/dns";
import { textAt } from "./arm/values";
import { clearFaults, setFault } from "./faultsFile";
import { plainName } from "./machine/plainMachine";
import type { Message, Ready, Settings } from "./settings";

/** Includes building the images for the first time. */
const READY_LIMIT_MS = 15 * 60_000;
const END_LIMIT_MS = 60_000;

/** A machine beside the host. */
export interface EmulatedMachine {
  readonly vmId: string;
  /** Public address. */
  readonly address: string;
  /** Host name, which Swarm shows. */
  readonly node: string;
}

/** Handle of the emulator's process (main.ts) in the process that has started it. */
export class EmulatorProcess {
  /** IDs of the resources that existed before the stack. */
  private readonly existing: ReadonlySet<string>;

  private constructor(
    readonly folder: string,
    private readonly child: ChildProcess,
    readonly ready: Ready,
  ) {
    this.existing = new Set(this.everything().map(({ id }) => id));
  }

  /**
   * Starts the process, and waits until it is ready.
   *
   * @param folder Folder for its settings, state and log.
   * @param progress Called with each line of its log.
   * @throws an error with its log if it ends before it is ready.
   */
  static async start(
    folder: string,
    settings: Settings,
    progress: (line: string) => void,
  ): Promise<EmulatorProcess> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, "settings.json"), JSON.stringify(settings));
    const log = path.join(folder, "log");
    const output = openSync(log, "w");
    const child = spawn(
      process.execPath,
      ["--require", require.resolve("tsx/cjs"), path.join(__dirname, "main.ts"), folder],
      // A process group of its own, because a Ctrl-C must end it last. The IPC channel tells it when this process is killed.
      { detached: true, stdio: ["ignore", output, output, "ipc"] },
    );
    const file = path.join(folder, "ready.json");
    const deadline = Date.now() + READY_LIMIT_MS;
    let lastLine = "";
    while (!existsSync(file)) {
      const text = readFileSync(log, "utf8");
      const line = text.trim().split("\n").at(-1) ?? "";
      if (line !== lastLine) progress(line);
      lastLine = line;
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(text.trim() || "The Azure emulator ended without any output.");
      }
      if (Date.now() > deadline)
        throw new Error(
          `The Azure emulator isn't ready after ${READY_LIMIT_MS / 60_000} min: ${line}`,
        );
      await sleep(100);
    }
    return new EmulatorProcess(folder, child, JSON.parse(readFileSync(file, "utf8")) as Ready);
  }

  /** Environment variables that make an engine use the emulator as Azure. */
  get env(): Record<string, string> {
    return {
      PULUMI_DEBUG_PROVIDERS: `azure-native:${this.ready.port}`,
      STORE_REHEARSAL_AZ: this.ready.az,
      // The registry is the rehearsal's own.
      STORE_PUBLISH_FALLBACKS: "1",
      PATH: [path.join(__dirname, "azureCli"), process.env["PATH"]].join(path.delimiter),
    };
  }

  /** Returns the resources in the emulated cloud, without those that existed before the stack. */
  resources(): readonly Resource[] {
    return this.everything().filter(({ id }) => !this.existing.has(id));
  }

  /** Returns the DNS record of a name; undefined if there is none. */
  dnsRecord(name: string): { readonly address: string; readonly etag: string } | undefined {
    const record = this.resources().find(
      ({ token, computed }) => token === RECORD_SET && computed["fqdn"] === `${name}.`,
    );
    return (
      record && {
        address: textAt(record.properties, "aRecords.0.ipv4Address"),
        etag: textAt(record.computed, "etag"),
      }
    );
  }

  /** Returns the host's public IP address; undefined before it exists. */
  publicAddress(): string | undefined {
    const [machine] = this.ready.machines;
    return machine?.address ?? this.addressOf("host");
  }

  /** Returns the vmId of the host; empty before it exists. */
  vmId(): string {
    const [machine] = this.ready.machines;
    return machine?.vmId ?? this.vms().find(({ name }) => name === "host")?.vmId ?? "";
  }

  /** Returns the machines that run services, beside the host. */
  workers(): EmulatedMachine[] {
    const [, ...machines] = this.ready.machines;
    if (machines.length > 0)
      return machines.map(({ vmId, address }) => ({ vmId, address, node: plainName(address) }));
    return this.vms()
      .filter(({ name }) => name !== "host")
      .map(({ name, vmId, node }) => ({ vmId, node, address: this.addressOf(name) ?? "" }));
  }

  /** Returns the VMs, by their names. */
  private vms(): { readonly name: string; readonly vmId: string; readonly node: string }[] {
    return this.resources()
      .filter(({ token }) => token === MACHINE)
      .map(({ name, computed, properties }) => ({
        ...{ name, vmId: textAt(computed, "vmId") },
        node: textAt(properties, "osProfile.computerName"),
      }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Returns the public address that has the name of a VM, with the provider's random suffix. */
  private addressOf(name: string): string | undefined {
    const address = this.resources().find(
      (one) => one.token.endsWith(":PublicIPAddress") && one.name.startsWith(name),
    );
    return address && textAt(address.computed, "ipAddress");
  }

  /** Activates a fault, in place of any other. */
  injectFault(fault: string): void {
    setFault(this.folder, fault);
  }

  clearFaults(): void {
    clearFaults(this.folder);
  }

  /** Deletes the only resource of a type with everything in it, as if it were deleted in the portal: without the engine's knowledge. */
  async deleteResource(type: string): Promise<void> {
    const id = this.resources().find(({ token }) => token === type)?.id;
    if (id === undefined) throw new Error(`The emulated cloud has no ${type} to delete.`);
    this.send({ deleteResource: id });
    await this.until(
      (resources) => !resources.some((resource) => sameId(resource.id, id)),
      `deletion of ${id}`,
    );
  }

  /** Changes the VM's update settings and identity, as policies of a company do. */
  async touchMachine(): Promise<void> {
    this.send({ touchMachines: true });
    await this.until(
      (resources) => resources.some(({ computed }) => computed["identity"] !== undefined),
      "change of the VM",
    );
  }

  private everything(): readonly Resource[] {
    return readState(path.join(this.folder, "cloud.json"));
  }

  private async until(
    isReached: (resources: readonly Resource[]) => boolean,
    what: string,
  ): Promise<void> {
    const deadline = Date.now() + END_LIMIT_MS;
    while (!isReached(this.resources())) {
      if (Date.now() > deadline)
        throw new Error(`The ${what} took more than ${END_LIMIT_MS / 1000} s.`);
      await sleep(100);
    }
  }

  /** Lets the process run on after this process has ended. */
  detach(): void {
    this.send({ keep: true });
    this.child.disconnect();
    this.child.unref();
  }

  /** Ends the process, which removes everything that it has created. Kills it after 60 s. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.child.once("close", () => resolve()));
    this.child.kill("SIGTERM");
    await Promise.race([ended, sleep(END_LIMIT_MS, undefined, { ref: false })]);
    this.child.kill("SIGKILL");
  }

  private send(message: Message): void {
    this.child.send(message);
  }
}

import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { suiteOfImage } from "@store/azure-emulator/arm/types/compute/vmImage";
import { SUBSCRIPTION } from "@store/azure-emulator/arm/cloud";
import { docker } from "@store/azure-emulator/docker";
import type { EmulatorProcess } from "@store/azure-emulator/emulatorProcess";
import { removeEverything } from "@store/azure-emulator/environment";
import { machineName } from "@store/azure-emulator/machine/names";
import { OWNER_FILE } from "@store/azure-emulator/orphans";
import type { Suite } from "@store/toolchain/images/releases";
import type { Reporter } from "@store/toolchain/system/report";
import { processIdentity } from "@store/toolchain/system/processIdentity";
import type { RehearsalAuthority } from "./authority";
import { type NamedSite, StoreProbe } from "./storeProbe";
import { Workspace } from "../support/workspace";

export interface ContextOptions {
  /** Repository whose staging stack is rehearsed. */
  readonly root: string;
  /** URL of this machine's Docker daemon. */
  readonly dockerHost: string;
  /** Multiplies the typical duration of each request in Azure: 1 is as slow as Azure, 0 is without delay. */
  readonly latencyFactor: number;
  /** A VM that the stack creates in Azure, or an existing machine without Docker. */
  readonly host: "azure" | "ssh";
  /** Number of machines, of which the first is the manager of a swarm. @default 1 */
  readonly hosts?: number;
  /** Image "publisher:offer:sku:version" of the VM, or the release of the existing machines. @default Debian 12 */
  readonly vmImage?: string;
  /** A registry named in the configuration, or one that the stack creates in Azure. */
  readonly registry: "named" | "azure";
  /** Serves the store by HTTPS, with a certificate that is ordered from Pebble. @default false */
  readonly https?: boolean;
  readonly report: Reporter;
  /** Called with the folder of the workspace before its first use. @default nothing */
  readonly onCopy?: (folder: string) => void;
}

export const STACK = "rehearsal";
/** DNS zone of Azure in which the stack creates its record, if it has HTTPS. */
export const DNS_ZONE = "rehearsal.example";
/** Name of the store, if it has HTTPS. */
const DOMAIN = `shop.${DNS_ZONE}`;
/** Limit for the VM's cloud-init, generous for slow machines. */
const READY_MINUTES = 8;

/** State shared by the steps of a rehearsal: its folder, the emulator, the workspace and the stack's configuration. */
export class RehearsalContext {
  readonly id = randomBytes(3).toString("hex");
  readonly folder: string;
  /** Release of the host. */
  readonly suite: Suite;
  /** Undefined until the emulator is running. */
  runningEmulator: EmulatorProcess | undefined;
  /** Undefined until it is running, and without HTTPS. */
  runningAuthority: RehearsalAuthority | undefined;
  /** Undefined until the repository is copied. */
  createdWorkspace: Workspace | undefined;
  private lastingChange: Readonly<Record<string, unknown>> = {};

  /** @throws an error that names the images, for another one. */
  constructor(readonly options: ContextOptions) {
    this.suite = suiteFor(options.vmImage);
    this.folder = mkdtempSync(path.join(tmpdir(), `store-rehearsal-${this.id}-`));
    writeFileSync(path.join(this.folder, OWNER_FILE), processIdentity());
  }

  get emulator(): EmulatorProcess {
    if (this.runningEmulator === undefined) throw new Error("The Azure emulator isn't running.");
    return this.runningEmulator;
  }

  get workspace(): Workspace {
    if (this.createdWorkspace === undefined) throw new Error("The workspace doesn't exist yet.");
    return this.createdWorkspace;
  }

  get workspaceFolder(): string {
    return path.join(this.folder, "workspace");
  }

  get configFile(): string {
    return path.join(this.folder, "config", `Pulumi.${STACK}.yaml`);
  }

  /** Client at the host's public IP address. @throws an error before there is one. */
  get probe(): StoreProbe {
    const address = this.emulator.publicAddress();
    if (address === undefined) throw new Error("The emulated cloud has no public IP address.");
    return new StoreProbe(address, undefined, this.site);
  }

  /** The store's name and its root certificate; undefined without HTTPS. */
  get site(): NamedSite | undefined {
    return this.runningAuthority && { name: DOMAIN, root: this.runningAuthority.root };
  }

  /** Returns a workspace in this folder that uses the emulator and the rehearsal's configuration. */
  workspaceIn(folder: string, env: Readonly<Record<string, string>> = {}): Workspace {
    return new Workspace(
      folder,
      STACK,
      { ...this.emulator.env, STORE_CONFIG_FILE: this.configFile, ...env },
      (line) => {
        appendFileSync(path.join(this.folder, "log"), `${line}\n`);
        this.options.report.progress(line.trim());
      },
    );
  }

  /**
   * Writes the stack's configuration: Pulumi.staging.yaml with the values that differ in a rehearsal.
   *
   * @param change Further values. @default none
   */
  configure(change: Readonly<Record<string, unknown>> = {}): void {
    const file = path.join(this.workspaceFolder, "Pulumi.staging.yaml");
    const staging = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    const config = {
      ...staging.config,
      ...this.registryConfig(),
      ...this.hostConfig(),
      ...this.httpsConfig(),
      "store:dockerSource": "distribution",
      "store:demoData": true,
      // The load during a rollout comes from one IP address, at more than a customer's rate.
      "store:requestLimit": 0,
      "store:readyMinutes": READY_MINUTES,
      ...this.lastingChange,
      ...change,
    };
    mkdirSync(path.dirname(this.configFile), { recursive: true });
    writeFileSync(this.configFile, stringify({ ...staging, config }), { mode: 0o600 });
  }

  /** Writes the stack's configuration with values that stay for the rest of the rehearsal. */
  configureForGood(change: Readonly<Record<string, unknown>>): void {
    this.lastingChange = { ...this.lastingChange, ...change };
    this.configure();
  }

  /** Writes the configuration with the first workers of the rehearsal, for good. */
  configureWorkers(count: number): void {
    const workers = this.emulator.ready.machines.slice(1, count + 1);
    const list = workers.map(({ address, hostKey }) => ({ address, hostKey }));
    const key = this.options.host === "azure" ? "store:hosts" : "store:workers";
    this.configureForGood({ [key]: this.options.host === "azure" ? count + 1 : list });
  }

  /** Returns the IDs of the containers on the host. */
  async containers(): Promise<string[]> {
    const ids = await this.dockerOnHost("ps", "-q");
    return ids.split("\n").sort();
  }

  /** Runs the docker command on the host. */
  dockerOnHost(...args: string[]): Promise<string> {
    return this.onHost("docker", ...args);
  }

  /** Runs a command on the host as root. */
  onHost(...command: string[]): Promise<string> {
    return docker("exec", machineName(this.id, this.emulator.vmId()), ...command);
  }

  /** Returns the end of the host's cloud-init log, for a failed step; nothing if there is no host. */
  async hostLog(): Promise<string[]> {
    const vmId = this.runningEmulator?.vmId() ?? "";
    if (vmId === "") return [];
    const log = await docker(
      ...["exec", machineName(this.id, vmId)],
      ...["tail", "-n", "5", "/var/log/cloud-init-output.log"],
    ).catch(() => "");
    return log === ""
      ? []
      : ["", "The end of the host's cloud-init-output.log:", ...log.split("\n")];
  }

  /** Ends all processes, and removes everything on this machine. */
  async dispose(): Promise<void> {
    await this.createdWorkspace?.interrupt();
    await this.runningEmulator?.end();
    await removeEverything(this.id, this.runningEmulator?.ready.registry.image);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private registryConfig(): Record<string, unknown> {
    if (this.options.registry === "azure") return { "store:azureRegistry": "Basic" };
    const { address, username, password } = this.emulator.ready.registry;
    return { "store:registry": { address, namespace: "store", username, password } };
  }

  private httpsConfig(): Record<string, unknown> {
    if (this.runningAuthority === undefined) return {};
    const { directory, roots } = this.runningAuthority;
    return {
      "store:domain": DOMAIN,
      ...this.dnsZoneConfig(),
      "store:acmeDirectory": directory,
      "store:acmeRoot": roots,
    };
  }

  private dnsZoneConfig(): Record<string, unknown> {
    const { dnsZone } = this.emulator.ready;
    // The zone's subscription is the stack's, so that there is one provider.
    return dnsZone === undefined
      ? {}
      : { "store:dnsZone": dnsZone, "store:subscriptionId": SUBSCRIPTION };
  }

  private hostConfig(): Record<string, unknown> {
    const [machine, ...workers] = this.emulator.ready.machines;
    const { hosts = 1, vmImage } = this.options;
    const replicas = hosts > 1 && { "store:replicas": { inventory: 2, storefront: 2 } };
    if (machine === undefined) {
      return {
        // The firewall sees the administrator's connections come from 127.0.0.1.
        "store:adminCidrs": ["127.0.0.1/32"],
        "store:hosts": hosts,
        ...replicas,
        ...(vmImage !== undefined && { "store:vmImage": vmImage }),
      };
    }
    return {
      "store:host": "ssh",
      "store:sshAddress": machine.address,
      "store:sshUser": machine.user,
      "store:sshHostKey": machine.hostKey,
      "store:sshPrivateKey": machine.privateKey,
      ...(workers.length > 0 && {
        "store:workers": workers.map(({ address, hostKey }) => ({ address, hostKey })),
        ...replicas,
      }),
    };
  }
}

function suiteFor(vmImage: string | undefined): Suite {
  if (vmImage === undefined) return "bookworm";
  const suite = suiteOfImage(vmImage);
  if (suite !== undefined) return suite;
  throw new Error(
    `The Azure emulator can't boot the image ${vmImage}. It boots ${BOOTABLE_IMAGES.join(", ")}.`,
  );
}

/** Images by which the machines of rehearsals are tested. */
export const BOOTABLE_IMAGES = [
  "Debian:debian-12:12-gen2:latest",
  "Debian:debian-13:13-gen2:latest",
  "Canonical:ubuntu-24_04-lts:server:latest",
] as const;

import { appendFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EmulatorProcess } from "@store/azure-emulator/emulatorProcess";
import { imagesOf, removeImages } from "@store/azure-emulator/environment";
import { DNS_ZONE, type RehearsalContext, STACK } from "../context";
import { RehearsalAuthority } from "../authority";
import { keptCertificate, renewCertificate } from "./certificateSteps";
import { CommandFailed, copyWorkspace, type Workspace } from "../../support/workspace";

/** Limit for the gateway on a new host, in milliseconds. */
const SERVING_LIMIT_MS = 300_000;
const CHANGED_SERVICE = "inventory";

/** Starts the emulator, and copies the repository. */
export async function prepare(context: RehearsalContext): Promise<string> {
  const { root, dockerHost, latencyFactor, host, hosts = 1, https = false } = context.options;
  const { report, onCopy } = context.options;
  // Wait for both: neither may run on after the other has failed.
  const [started, copied] = await Promise.allSettled([
    EmulatorProcess.start(
      path.join(context.folder, "cloud"),
      {
        ...{ id: context.id, dockerHost, latencyFactor, plainMachines: host === "ssh" ? hosts : 0 },
        suite: context.suite,
        ...(https && host === "azure" && { dnsZone: DNS_ZONE }),
      },
      (line) => report.progress(line),
    ),
    copyWorkspace(root, context.workspaceFolder),
  ]);
  if (started.status === "fulfilled") context.runningEmulator = started.value;
  for (const result of [started, copied]) if (result.status === "rejected") throw result.reason;
  onCopy?.(context.workspaceFolder);
  if (https)
    context.runningAuthority = await RehearsalAuthority.start(
      context.id,
      context.emulator.ready.registry,
      path.join(context.folder, "pebble"),
    );
  context.configure();
  context.createdWorkspace = context.workspaceIn(context.workspaceFolder);
  return `registry ${context.emulator.ready.registry.address}`;
}

/** Previews the stack before any resource exists. */
export async function previewFromNothing({
  workspace,
  emulator,
}: RehearsalContext): Promise<string> {
  const output = await workspace.succeed("preview", STACK);
  const created = /\+ (\d+) to create/.exec(output)?.[1];
  if (created === undefined)
    throw new CommandFailed("The preview doesn't list what it would create.", output);
  if (emulator.resources().length > 0) throw new Error("The preview has created resources.");
  return `${created} to create`;
}

/** Brings the stack up from any state, and waits until the store serves requests. */
export async function up(context: RehearsalContext): Promise<string> {
  const named = new AbortController();
  const [output] = await Promise.all([
    context.workspace.succeed("up", STACK, "--yes").finally(() => named.abort()),
    nameHost(context, named.signal),
  ]);
  // The gateway waits for all services that are healthy, and all are.
  if (/unreachable, but not because of/.test(output))
    throw new CommandFailed("A service was unreachable for the gateway.", output);
  const waited = await context.probe.untilServing(SERVING_LIMIT_MS);
  await untilChecked(context);
  return `serving at ${context.emulator.publicAddress() ?? ""} after another ${waited.toFixed(1)} s`;
}

/**
 * Makes the store's name lead to the address of its DNS record as soon as the stack has created it; without a DNS zone, to that of the
 * host, as somebody who sets the record.
 */
async function nameHost(context: RehearsalContext, ended: AbortSignal): Promise<void> {
  const { emulator, runningAuthority: authority, site } = context;
  if (!authority || !site) return;
  const find = (): string | undefined =>
    emulator.ready.dnsZone === undefined
      ? emulator.publicAddress()
      : emulator.dnsRecord(site.name)?.address;
  let address: string | undefined;
  while ((address = find()) === undefined && !ended.aborted) await sleep(500);
  if (address !== undefined) await authority.setAddress(site.name, address);
}

/** Waits until each container has had its first health check: `up` doesn't wait for the container that orders the certificate. */
async function untilChecked(context: RehearsalContext): Promise<void> {
  const deadline = Date.now() + SERVING_LIMIT_MS;
  const list = ["ps", "--quiet", "--filter", "health=starting"];
  while ((await context.dockerOnHost(...list)) !== "" && Date.now() < deadline) await sleep(500);
}

/** Checks that a command on this stack has nothing to change. */
export async function expectNoChanges(workspace: Workspace, ...command: string[]): Promise<string> {
  const output = await workspace.succeed(...command, "--", "--expect-no-changes");
  return `${/(\d+) unchanged/.exec(output)?.[1] ?? "all"} unchanged`;
}

/**
 * Checks that a second person, who shares only the state's backend, its passphrase and the configuration, reaches the host and has
 * nothing to change or build.
 */
export async function expectNoChangesElsewhere(context: RehearsalContext): Promise<string> {
  const folder = path.join(context.folder, "elsewhere");
  await copyWorkspace(context.options.root, folder);
  const state = path.join(context.workspaceFolder, ".store");
  const other = context.workspaceIn(folder, {
    PULUMI_BACKEND_URL: `file://${path.join(state, "state")}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: path.join(state, "passphrase"),
    // `./store state use` would write the salt to the configuration file.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
  });
  const { address } = context.emulator.ready.registry;
  await removeImages(await imagesOf(address));
  const before = await context.containers();
  const ps = await other.succeed("ps", STACK);
  const healthy = ps.split("\n").filter((line) => line.includes("healthy")).length;
  if (healthy !== before.length)
    throw new CommandFailed(`./store ps doesn't list ${before.length} healthy containers.`, ps);
  const result = await expectNoChanges(other, "up", STACK, "--yes", "--refresh");
  const built = await imagesOf(address);
  if (built.length > 0) throw new Error(`The other workspace has built ${built.join(", ")}.`);
  if ((await context.containers()).join() !== before.join())
    throw new Error("The up has replaced containers.");
  return `ps lists ${healthy} containers; ${result} after an up with a refresh, which builds no image`;
}

/** Changes the source of one service, and checks that the preview names this service only. */
export async function previewChangedService(context: RehearsalContext): Promise<string> {
  const source = path.join(context.workspaceFolder, "services", CHANGED_SERVICE, "src", "main.ts");
  appendFileSync(source, "\n// Changes the content of the image.\n");
  const output = await context.workspace.succeed("preview", STACK);
  const containers = [
    ...output.matchAll(
      /docker:index:(?:Container|Service) +(\S+) +(?:create|replace|update|delete)/g,
    ),
  ];
  const changed = [...new Set(containers.map(([, name = ""]) => name))];
  const others = changed.filter((name) => !name.startsWith(CHANGED_SERVICE));
  if (changed.length === 0 || others.length > 0) {
    throw new CommandFailed(
      `The preview names ${changed.join(", ") || "no container"}, but only ${CHANGED_SERVICE} has changed.`,
      output,
    );
  }
  return `replaces ${changed.join(", ")}`;
}

/** Rolls the changed service out under load, and in Azure grows the data disk meanwhile. Checks that no request is lost. */
export async function upUnderLoad(context: RehearsalContext): Promise<string> {
  const isAzure = context.options.host === "azure";
  if (isAzure) context.configureForGood({ "store:dataDiskGiB": GROWN_GIB });
  const stop = context.probe.browse(4);
  const renewed = await renewCertificate(context);
  const result = await context.workspace.run("up", STACK, "--yes");
  const renewal = result.code === 0 ? await renewed() : "";
  const { requests, lost } = await stop();
  if (result.code !== 0) throw new CommandFailed("./store up failed.", result.output);
  if (lost.length > 0) {
    throw new Error(
      `${lost.length} of ${requests} requests were lost: ${[...new Set(lost)].join("; ")}`,
    );
  }
  return `${renewal}0 of ${requests} requests lost`;
}

/** Twice the default of store:dataDiskGiB. */
const GROWN_GIB = 64;

/** Replaces the VM, and checks that an order from before still exists, on the disk that has grown before. */
export async function replaceVm(context: RehearsalContext, orderId: string): Promise<string> {
  const { workspace, emulator } = context;
  const before = emulator.vmId();
  const record = findRecord(context);
  const kept = await keptCertificate(context);
  const urns = await workspace.succeed("pulumi", "stack", "--show-urns", "--stack", STACK);
  const urn = /urn:pulumi:\S*azure-native:compute:VirtualMachine::host\b/.exec(urns)?.[0];
  if (urn === undefined) throw new CommandFailed("The stack has no virtual machine.", urns);
  await workspace.succeed("up", STACK, "--yes", "--", "--replace", urn);
  if (emulator.vmId() === before) throw new Error("The VM wasn't replaced.");
  if (findRecord(context) !== record) throw new Error("The DNS record was written again.");
  const waited = await context.probe.untilServing(SERVING_LIMIT_MS);
  await context.probe.untilStatus(orderId, "confirmed");
  const disk = await expectGrownFileSystem(context);
  return `new VM, serving after another ${waited.toFixed(1)} s, the order still exists; ${disk}; ${await kept()}`;
}

/** Returns what identifies a version of the DNS record; undefined if there is none. */
function findRecord({ emulator, site }: RehearsalContext): string | undefined {
  return site && emulator.dnsRecord(site.name)?.etag;
}

async function expectGrownFileSystem(context: RehearsalContext): Promise<string> {
  const output = await context.onHost("df", "--block-size=1G", "--output=size", "/data");
  const size = Number(output.split("\n").at(-1));
  // ext4 keeps some of the disk for itself.
  if (!(size > GROWN_GIB * 0.9)) throw new Error(`/data has ${size} GiB, not ${GROWN_GIB}.`);
  return `/data has grown to ${size} GiB`;
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { docker } from "@store/azure-emulator/docker";
import { machineName } from "@store/azure-emulator/machine/names";
import { messageOf } from "@store/docker/messageOf";
import type { RehearsalContext } from "../context";
import { assertNoWayOut, type Exec, METADATA, reachFrom } from "../../support/reach";
import { StoreProbe } from "../storeProbe";

/** Checks which ports the host's firewall opens to whom. */
export async function checkFirewall({ emulator, site }: RehearsalContext): Promise<string> {
  const address = emulator.publicAddress() ?? "";
  const stranger = new StoreProbe(address, "127.0.0.9");
  const admin = new StoreProbe(address, "127.0.0.1");
  const checks: readonly (readonly [what: string, isOpen: boolean, expected: boolean])[] = [
    ["port 80 for anybody", await stranger.reaches(80), true],
    ...(site ? [["port 443 for anybody", await stranger.servesHttps(site), true] as const] : []),
    ["SSH for the administrator", await admin.reaches(22), true],
    ["SSH for a stranger", await stranger.reaches(22), false],
    [
      "Docker's port for the administrator",
      (await admin.reaches(2375)) || (await admin.reaches(2376)),
      false,
    ],
  ];
  const wrong = checks.filter(([, isOpen, expected]) => isOpen !== expected);
  if (wrong.length > 0) {
    throw new Error(
      wrong.map(([what, isOpen]) => `${what} is ${isOpen ? "open" : "closed"}`).join("; "),
    );
  }
  return `80${site ? " and 443" : ""} open to anybody, 22 to the administrator, Docker to nobody`;
}

/**
 * Checks from inside the containers that they reach neither the host's SSH nor Azure's metadata service, with egress or without.
 *
 * @throws AssertionError with the first container that does.
 */
export function checkWaysOut(context: RehearsalContext): Promise<string> {
  return waysOutOf((...command) => context.onHost(...command));
}

/** Checks the same for the instances on each worker. */
export async function checkWorkersWaysOut({ emulator, id }: RehearsalContext): Promise<string> {
  const results = await Promise.all(
    emulator
      .workers()
      .map(({ vmId }) =>
        waysOutOf((...command) => docker("exec", machineName(id, vmId), ...command)),
      ),
  );
  return results.join("; ");
}

async function waysOutOf(onMachine: Exec): Promise<string> {
  const addresses = (await onMachine("hostname", "--all-ip-addresses")).trim().split(/\s+/);
  const host = addresses
    .filter((address) => !address.includes(":"))
    .map((address) => `${address}:22`);
  const rows = await onMachine("docker", "ps", "--format", "{{.ID}} {{.Names}}");
  const containers = rows
    .trim()
    .split("\n")
    .map((row) => row.split(" "))
    // lego's own image has no bash.
    .filter(([, name = ""]) => !name.startsWith("certificates-"));
  const check = async ([id = "", name = ""]: readonly string[]): Promise<void> => {
    const exec: Exec = (...command) => onMachine("docker", "exec", id, ...command);
    if (!/^(gateway|billing(?!-database))-/.test(name)) return assertNoWayOut(name, exec, host);
    const reached = await reachFrom(exec, [...METADATA, ...host]);
    const open = Object.keys(reached).filter((target) => reached[target] === "connected");
    assert.deepEqual(open, [], `${name} reaches ${open.join(", ")}`);
  };
  await Promise.all(containers.map(check));
  return `${containers.length} containers reach neither SSH at ${host.length} addresses nor the metadata service`;
}

/**
 * Checks that cloud-init was configured as on Azure and has reported that the VM is ready, and that the metadata service answers the
 * host, so that its silence to containers is the firewall's doing.
 */
export async function checkProvisioning(context: RehearsalContext): Promise<string> {
  const result = await context.onHost("cat", "/run/cloud-init/result.json");
  const { datasource, errors } = (JSON.parse(result) as CloudInitResult).v1;
  assert.match(datasource, /^DataSourceAzure /);
  assert.deepEqual(errors, []);
  const health = await context.onHost("cat", "/run/rehearsal/health.xml");
  assert.match(health, /<State>Ready<\/State>/);
  const url = "http://169.254.169.254/metadata/instance?api-version=2021-08-01";
  const metadata = await context.onHost("curl", "--silent", "--header", "Metadata: true", url);
  const { vmId } = (JSON.parse(metadata) as { compute: { vmId: string } }).compute;
  assert.equal(vmId, context.emulator.vmId());
  return datasource;
}

interface CloudInitResult {
  readonly v1: { readonly datasource: string; readonly errors: readonly string[] };
}

/** Output that a command of the host has to have, if cloud-init's settings are in effect. */
const SETTINGS: readonly (readonly [command: string, expected: readonly RegExp[]])[] = [
  [
    "sshd -T",
    [/^passwordauthentication no$/m, /^permitrootlogin no$/m, /^maxstartups 100:30:200$/m],
  ],
  ["apt-config dump", [/Package-Blacklist:: "docker\\\.io";/, /Unattended-Upgrade "1";/]],
  ["systemctl is-active docker store-firewall store-prune.timer", [/^(active\n?){3}$/]],
  ["systemctl is-enabled unattended-upgrades apt-daily-upgrade.timer", [/^(enabled\n?){2}$/]],
];

/** Checks that cloud-init's settings of SSH and of the upgrades are in effect, and that its services run. */
export async function checkSettings(context: RehearsalContext): Promise<string> {
  for (const [command, expected] of SETTINGS) {
    const output = await context.onHost(...command.split(" ")).catch(messageOf);
    for (const pattern of expected) assert.match(output, pattern, command);
  }
  return SETTINGS.map(([command]) => command).join(", ");
}

/** Checks that Azure's agent finds the host key which the program has generated. @throws an error with the agent's own. */
export async function checkAgent(context: RehearsalContext): Promise<string> {
  const script = readFileSync(path.join(__dirname, "agentHostKey.py"), "utf8");
  return `host key ${await context.onHost("python3", "-c", script)}`;
}

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Resource, View } from "../arm/resourceType";
import type { PowerState } from "../arm/state/hardware";
import { textAt } from "../arm/values";
import { docker, dockerQuietly, labelled } from "../docker";
import { disksFile, volumesOf } from "./disks";
import { machineName } from "./names";
import { provisioningOf } from "./provisioning";

/** Environment in which an emulated VM boots. */
export interface MachineEnvironment {
  /** ID of the rehearsal. */
  readonly id: string;
  readonly image: string;
  readonly network: string;
  /** Address in the network. Defaults to any. */
  readonly address?: string | undefined;
  /** Registry whose CA the VM trusts, like a VM image with a company's CA. */
  readonly registry: { readonly address: string; readonly authority: string };
  /** Makes the package mirror unreachable, for the fault cloud-init. */
  readonly withoutPackages: boolean;
}

/**
 * Boots an emulated VM: a container that runs systemd, sshd and cloud-init. Like Azure, returns when the VM has started, before
 * cloud-init has finished.
 */
export async function bootMachine(
  machine: Resource,
  cloud: View,
  environment: MachineEnvironment,
): Promise<void> {
  const name = machineName(environment.id, textAt(machine.computed, "vmId"));
  const disks = await volumesOf(machine, cloud, environment.id);
  await docker(
    ...[
      "create",
      "--name",
      name,
      "--hostname",
      textAt(machine.properties, "osProfile.computerName"),
    ],
    ...[...labelled(environment.id), "--network", environment.network],
    ...(environment.address === undefined ? [] : ["--ip", environment.address]),
    ...SYSTEMD_PERMISSIONS,
    // A reboot ends the container. A VM that is deallocated, and so stopped by Docker, stays off.
    ...["--restart", "unless-stopped"],
    ...["--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"],
    // File systems of layers, which the overlay of a container can't hold. Docker 29 has its images in the second.
    ...["--volume", "/var/lib/docker", "--volume", "/var/lib/containerd"],
    ...["--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777"],
    ...disks.flatMap(({ volume, lun }) => [
      "--volume",
      `${volume}:/var/lib/rehearsal/disks/lun${lun}`,
    ]),
    environment.image,
  );
  await copyFiles(name, filesOf(machine, cloud, environment));
  await docker("start", name);
}

/** Permissions for systemd and a nested Docker daemon; fewer than --privileged. */
const SYSTEMD_PERMISSIONS = [
  ...["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"].flatMap((cap) => [
    "--cap-add",
    cap,
  ]),
  ...["seccomp", "apparmor", "systempaths"].flatMap((what) => [
    "--security-opt",
    `${what}=unconfined`,
  ]),
  ...["--device-cgroup-rule", "a *:* rwm", "--cgroupns", "host"],
];

/** Removes a VM's container with its anonymous volumes. Data disks stay. */
export async function removeMachine(machine: Resource, id: string): Promise<void> {
  const name = machineName(id, textAt(machine.computed, "vmId"));
  await dockerQuietly("rm", "--force", "--volumes", name);
}

/** Switches a VM off, or on again. Its container keeps its disks, and cloud-init doesn't provision it again. */
export async function setMachinePower(
  machine: Resource,
  cloud: View,
  id: string,
  state: PowerState,
): Promise<void> {
  const name = machineName(id, textAt(machine.computed, "vmId"));
  if (state === "deallocated") {
    await docker("stop", name);
    return;
  }
  // A disk may have been enlarged meanwhile.
  await copyFiles(name, { [DISKS_FILE]: disksFile(machine, cloud) });
  await docker("start", name);
}

/** Copies files into a VM's container, by their path without the first slash. */
async function copyFiles(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "store-rehearsal-"));
  try {
    // `docker cp` applies the folder's mode to the container's root folder.
    chmodSync(folder, 0o755);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true, mode: 0o755 });
      writeFileSync(path.join(folder, file), text, { mode: 0o600 });
    }
    await docker("cp", `${folder}/.`, `${name}:/`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lists the VM's data disks for the service rehearsal-disks. */
const DISKS_FILE = "etc/rehearsal/disks";

/** Returns the files that a VM gets before its first boot. */
function filesOf(
  machine: Resource,
  cloud: View,
  environment: MachineEnvironment,
): Record<string, string> {
  return {
    ...provisioningOf(machine),
    [`etc/docker/certs.d/${environment.registry.address}/ca.crt`]: environment.registry.authority,
    [DISKS_FILE]: disksFile(machine, cloud),
    ...(environment.withoutPackages && {
      // Disable the package cache of the image, too.
      "etc/apt/apt.conf.d/99-rehearsal":
        'Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\nDir::Cache::archives "/var/cache/empty";\n',
      "var/cache/empty/partial/.keep": "",
    }),
  };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readWithoutComments } from "../../shell/shell";
import { SSHD_LIMITS } from "../ssh/ssh";

/** Source of Docker's packages: Docker's own apt repository, or the distribution's package docker.io. */
export type DockerSource = "docker" | "distribution";

export interface CloudInitArgs {
  /** User of the VM who may talk to the Docker daemon. */
  readonly adminUser: string;
  readonly distribution: "debian" | "ubuntu";
  /** SSH host key of the VM in OpenSSH's format. The private half is a secret. */
  readonly hostKey: { readonly private: string; readonly public: string };
  readonly docker: DockerSource;
  /** Exact version of the package docker-ce, such as "5:28.5.2-1~debian.12~bookworm". Defaults to the newest one of its source. */
  readonly dockerVersion?: string;
  /** Block device of the data disk, formatted if it is empty and mounted at {@link DATA_FOLDER}. Defaults to none. */
  readonly dataDevice?: string;
  /** The VM runs instances of Swarm services. Defaults to false. */
  readonly isWorker?: boolean;
}

/** Folder of the VM at which the data disk is mounted. */
export const DATA_FOLDER = "/data";

/**
 * Returns cloud-init's configuration of a VM: a Docker host with an SSH host key that the program has made, so that nobody has to
 * trust the key on first use.
 *
 * Any change of the returned text replaces the VM.
 *
 * @see https://docs.cloud-init.io/en/22.4.2/topics/examples.html
 */
export function cloudInit(args: CloudInitArgs): string {
  const { dataDevice } = args;
  const config = {
    // cloud-init writes these before it installs packages, so that Docker's first start already reads its settings.
    write_files: [
      {
        path: "/etc/docker/daemon.json",
        content: args.isWorker ? workersDaemon() : file("daemon.json"),
      },
      {
        path: "/etc/ssh/sshd_config.d/10-store.conf",
        content: file("sshd.conf") + SSHD_LIMITS,
      },
      { path: "/etc/apt/apt.conf.d/52-store-upgrades", content: file("apt-upgrades.conf") },
      { path: "/etc/systemd/system/store-prune.service", content: file("store-prune.service") },
      { path: "/etc/systemd/system/store-prune.timer", content: file("store-prune.timer") },
      {
        path: "/etc/systemd/system/store-firewall.service",
        content: args.isWorker ? workersFirewall() : file("store-firewall.service"),
      },
      ...(dataDevice ? [DOCKER_NEEDS_DATA] : []),
    ],
    bootcmd: [
      inShell("agentHostKey.sh", "/etc/waagent.conf"),
      ...(dataDevice ? [inShell("formatEmptyDisk.sh", dataDevice)] : []),
    ],
    ssh_deletekeys: true,
    // With ssh_keys, cloud-init generates no others.
    ssh_keys: { ed25519_private: args.hostKey.private, ed25519_public: args.hostKey.public },
    ssh_pwauth: false,
    disable_root: true,
    ...(dataDevice && { mounts: [dataMount(dataDevice)] }),
    package_update: true,
    ...(args.docker === "docker" && {
      apt: { sources: { "docker.list": dockerRepository(args.distribution) } },
    }),
    packages: [...packages(args), "unattended-upgrades"],
    runcmd: [
      ["systemctl", "restart", "ssh"],
      ["systemctl", "enable", "--now", "docker", "store-prune.timer", "store-firewall.service"],
      // Members of this group control the daemon, which is equivalent to root.
      ["usermod", "--append", "--groups", "docker", args.adminUser],
    ],
  };
  // JSON is valid YAML and needs no library, which would slow down each run of staging.
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}

function packages({ docker, dockerVersion }: CloudInitArgs): (string | [string, string])[] {
  const names =
    docker === "docker" ? ["docker-ce", "docker-ce-cli", "containerd.io"] : ["docker.io"];
  const [daemon = "", ...others] = names;
  return [dockerVersion ? [daemon, dockerVersion] : daemon, ...others];
}

/**
 * Docker starts after the mount, which `nofail` makes independent of the boot. A container that starts without its data fails, and
 * Docker doesn't restart it: https://github.com/docker/for-linux/issues/293.
 */
const DOCKER_NEEDS_DATA = {
  path: "/etc/systemd/system/docker.service.d/10-store.conf",
  content: `[Unit]\nRequiresMountsFor=${DATA_FOLDER}\n`,
};

/** Returns a line of fstab. */
function dataMount(device: string): string[] {
  // growfs: a disk that was enlarged while the VM was off.
  const options = "defaults,nofail,x-systemd.device-timeout=60,x-systemd.growfs";
  return [device, DATA_FOLDER, "ext4", options, "0", "2"];
}

/**
 * Returns a command that runs a script at each boot, before the mounts. Formatting isn't left to cloud-init's fs_setup, which makes a
 * new file system on a disk without partitions at the first boot of every VM, even over data.
 */
function inShell(script: string, ...args: readonly string[]): string[] {
  return ["sh", "-c", readWithoutComments(FOLDER, script), script, ...args];
}

function dockerRepository(distribution: string): object {
  return {
    source: `deb [arch=amd64 signed-by=$KEY_FILE] https://download.docker.com/linux/${distribution} $RELEASE stable`,
    key: file("docker-apt-key.asc"),
  };
}

/**
 * Reads a file that is copied to the VM. Comments would be part of customData, so the reasons are here:
 * - daemon.json: containers survive an upgrade of the daemon, logs have a limited size, and there are addresses for 256 networks instead
 *   of 30, in the range that Docker's own network would have anyway.
 * - apt-upgrades.conf: security updates are automatic, except those of Docker, whose version changes only by an `up`.
 * - store-firewall.service: containers don't reach Azure's metadata service, which gives the VM's identity to everybody who asks, nor
 *   its agent's endpoint, except for DNS, nor the host's own ports, such as SSH. Docker keeps the rules of its chain, also of one made
 *   before its start.
 * - store-prune.*: an unused image is kept for a week, so that a rollback needs no registry, and then frees its disk space.
 */
function file(name: string): string {
  return readFileSync(join(FOLDER, name), "utf8");
}

/**
 * Returns daemon.json of a worker. Swarm excludes live-restore, and has no argument for `no-new-privileges`.
 *
 * @see https://docs.docker.com/engine/daemon/live-restore/#live-restore-and-swarm-mode
 */
function workersDaemon(): string {
  const settings = JSON.parse(file("daemon.json")) as Record<string, unknown>;
  const changed = { ...settings, "live-restore": false, "no-new-privileges": true };
  return `${JSON.stringify(changed, null, 2)}\n`;
}

/** Returns store-firewall.service of a worker, on which instances with a way out have it by Swarm's own bridge. */
function workersFirewall(): string {
  return file("store-firewall.service").replace("br-+", "docker_gwbridge");
}

const FOLDER = join(__dirname, "cloud-init");

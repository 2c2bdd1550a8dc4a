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
  const config = {
    // cloud-init writes these before it installs packages, so that Docker's first start already reads its settings.
    write_files: [
      { path: "/etc/docker/daemon.json", content: file("daemon.json") },
      {
        path: "/etc/ssh/sshd_config.d/10-store.conf",
        content: file("sshd.conf") + SSHD_LIMITS,
      },
      { path: "/etc/apt/apt.conf.d/52-store-upgrades", content: file("apt-upgrades.conf") },
      { path: "/etc/systemd/system/store-prune.service", content: file("store-prune.service") },
      { path: "/etc/systemd/system/store-prune.timer", content: file("store-prune.timer") },
    ],
    ssh_deletekeys: true,
    // With ssh_keys, cloud-init generates no others.
    ssh_keys: { ed25519_private: args.hostKey.private, ed25519_public: args.hostKey.public },
    ssh_pwauth: false,
    disable_root: true,
    ...(args.dataDevice !== undefined && dataDisk(args.dataDevice)),
    package_update: true,
    ...(args.docker === "docker" && {
      apt: { sources: { "docker.list": dockerRepository(args.distribution) } },
    }),
    packages: [...packages(args), "unattended-upgrades"],
    runcmd: [
      ["systemctl", "restart", "ssh"],
      ["systemctl", "enable", "--now", "docker", "store-prune.timer"],
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

function dataDisk(device: string): object {
  return {
    // Not fs_setup: on a disk without partitions it makes a new file system at the first boot of every VM, even over data.
    bootcmd: [["sh", "-c", readWithoutComments(FOLDER, "formatEmptyDisk.sh"), "format", device]],
    mounts: [
      [device, DATA_FOLDER, "ext4", "defaults,nofail,x-systemd.device-timeout=60", "0", "2"],
    ],
  };
}

function dockerRepository(distribution: string): object {
  return {
    source: `deb [arch=amd64 signed-by=$KEY_FILE] https://download.docker.com/linux/${distribution} $RELEASE stable`,
    key: file("docker-apt-key.asc"),
  };
}

/**
 * Reads a file that is copied to the VM. Comments would be part of customData, so the reasons are here:
 * - daemon.json: containers survive an upgrade of the daemon, and logs have a limited size.
 * - apt-upgrades.conf: security updates are automatic, except those of Docker, whose version changes only by an `up`.
 * - store-prune.*: an unused image is kept for a week, so that a rollback needs no registry, and then frees its disk space.
 */
function file(name: string): string {
  return readFileSync(join(FOLDER, name), "utf8");
}

const FOLDER = join(__dirname, "cloud-init");

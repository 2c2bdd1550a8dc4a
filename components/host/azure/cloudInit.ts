import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SSHD_LIMITS } from "../ssh/ssh";

/** Where a host gets Docker from: Docker's own apt repository, or the distribution's package docker.io. */
export type DockerSource = "docker" | "distribution";

export interface CloudInitArgs {
  readonly adminUser: string;
  readonly distribution: "debian" | "ubuntu";
  /** The SSH host key that the machine is to have, as OpenSSH writes it. The private half is a secret. */
  readonly hostKey: { readonly private: string; readonly public: string };
  readonly docker: DockerSource;
  /** Exact version of the package docker-ce, such as "5:28.5.2-1~debian.12~bookworm". @default the newest of its source */
  readonly dockerVersion?: string;
  /** Block device for the data, formatted when it is empty and mounted at {@link DATA_FOLDER}. @default none */
  readonly dataDevice?: string;
}

/** Where the disk is mounted that outlives the machine. */
export const DATA_FOLDER = "/data";

/**
 * What cloud-init makes of a new machine: a Docker host with our SSH host key, which nobody has to trust on first use.
 *
 * @see https://docs.cloud-init.io/en/22.4.2/topics/examples.html
 */
export function cloudInit(args: CloudInitArgs): string {
  const config = {
    // Written first of all, so that it is there when Docker starts for the first time.
    write_files: [
      { path: "/etc/docker/daemon.json", content: DAEMON },
      { path: "/etc/ssh/sshd_config.d/10-store.conf", content: SSHD },
      { path: "/etc/apt/apt.conf.d/52-store-upgrades", content: UPGRADES },
      { path: "/etc/systemd/system/store-prune.service", content: PRUNE },
      { path: "/etc/systemd/system/store-prune.timer", content: PRUNE_DAILY },
    ],
    ssh_deletekeys: true,
    // Where keys are given, no others are made.
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
      // Members of this group command the daemon, which is as much as root.
      ["usermod", "--append", "--groups", "docker", args.adminUser],
    ],
  };
  // JSON is YAML, too, and takes no library, which each run of staging would wait for.
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
    // Not fs_setup: for a disk without partitions it makes a new file system on every new machine, whatever is on the disk.
    bootcmd: [["sh", "-c", FORMAT_EMPTY, "format", device]],
    mounts: [
      [device, DATA_FOLDER, "ext4", "defaults,nofail,x-systemd.device-timeout=60", "0", "2"],
    ],
  };
}

/** Only a disk on which blkid finds nothing at all (its exit code 2) is formatted. It may come a moment after the boot. */
const FORMAT_EMPTY = `for _ in $(seq 60); do [ -b "$1" ] && break; sleep 1; done
[ -b "$1" ] || exit 0
blkid --probe "$1"
[ $? != 2 ] || mkfs.ext4 -q -L store-data "$1"`;

function dockerRepository(distribution: string): object {
  return {
    source: `deb [arch=amd64 signed-by=$KEY_FILE] https://download.docker.com/linux/${distribution} $RELEASE stable`,
    key: readFileSync(join(__dirname, "docker-apt-key.asc"), "utf8"),
  };
}

/** Containers live on while the daemon is upgraded, and no log fills the disk. */
const DAEMON = `${JSON.stringify({ "live-restore": true, "log-driver": "local", "log-opts": { "max-size": "10m", "max-file": "3" } }, null, 2)}\n`;

const SSHD = `PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
${SSHD_LIMITS}`;

/** Security updates by themselves, but for Docker: it changes when we say so. */
const UPGRADES = `APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Package-Blacklist { "docker-ce"; "docker-ce-cli"; "docker\\.io"; "containerd"; "containerd\\.io"; "runc"; };
`;

/** Images stay for a while after their last container, so that a step back needs no registry; then they only fill the disk. */
const PRUNE = `[Unit]
Description=Remove container images that nothing has used for a week
[Service]
Type=oneshot
ExecStart=/usr/bin/docker image prune --all --force --filter until=168h
`;

const PRUNE_DAILY = `[Unit]
Description=Every day, remove unused container images
[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=true
[Install]
WantedBy=timers.target
`;

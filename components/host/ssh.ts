import * as pulumi from "@pulumi/pulumi";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a machine answers SSH, who we are there, and by which key we know that it is the right one. */
export interface SshAccess {
  readonly address: pulumi.Input<string>;
  /** @default 22 */
  readonly port?: number;
  readonly user: string;
  /** Private key of ours, in PEM or OpenSSH's format. A secret. */
  readonly privateKey: pulumi.Input<string>;
  /** The machine's public host key, as in a known_hosts file without the name: "ssh-ed25519 AAAA…". */
  readonly hostKey: pulumi.Input<string>;
}

/**
 * Options for an `ssh` that asks nothing and believes nothing: it logs in with our key alone and talks to the machine with the
 * pinned host key only. ssh takes both from files alone, so they are written here, wherever the program runs; the paths
 * are relative to the project, since absolute ones would differ on every machine.
 */
export function sshOptions(access: SshAccess): pulumi.Output<string[]> {
  const folder = join(".store", "ssh", pulumi.getStack());
  const options = pulumi
    .all([access.address, access.privateKey, access.hostKey])
    .apply(([address, privateKey, hostKey]) => {
      const identity = secretFile(folder, "identity", ensureNewline(privateKey));
      const knownHosts = secretFile(
        folder,
        "known_hosts",
        `${knownHostName(address, access.port ?? 22)} ${hostKey.trim()}\n`,
      );
      return [
        ...["-i", identity],
        ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
        ...["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "GlobalKnownHostsFile=/dev/null"],
        ...["-o", "StrictHostKeyChecking=yes"],
        ...["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"],
      ];
    });
  // Paths, made from a secret but none themselves.
  return pulumi.unsecret(options);
}

/** How a known_hosts file names a machine. */
export function knownHostName(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`;
}

function secretFile(folder: string, name: string, content: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  // The mode above counts only where the file is new.
  chmodSync(path, 0o600);
  return path;
}

function ensureNewline(key: string): string {
  return key.endsWith("\n") ? key : `${key}\n`;
}

import * as pulumi from "@pulumi/pulumi";
import { sshFolder, writeSshFiles } from "./sshFiles";

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

/** For sshd: every resource of ours on the host is a connection of its own, and beyond ten at once it refuses some at random by default. */
export const SSHD_LIMITS = "MaxStartups 100:30:200\nMaxSessions 100\n";

/**
 * Options for an `ssh` that asks nothing and believes nothing: it logs in with our key alone and talks to the machine with the
 * pinned host key only. ssh takes both from files alone, so they are written wherever the program runs.
 */
export function sshOptions({
  address,
  port = 22,
  privateKey,
  hostKey,
}: SshAccess): pulumi.Output<string[]> {
  const options = pulumi
    .all([address, privateKey, hostKey])
    .apply(([host, key, publicKey]) =>
      writeSshFiles(sshFolder(pulumi.getStack()), {
        address: host,
        port,
        privateKey: key,
        hostKey: publicKey,
      }),
    )
    .apply(({ identity, knownHosts }) => [
      ...["-i", identity],
      ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "GlobalKnownHostsFile=/dev/null"],
      ...["-o", "StrictHostKeyChecking=yes"],
      ...["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"],
    ]);
  // Paths, made from a secret but none themselves.
  return pulumi.unsecret(options);
}

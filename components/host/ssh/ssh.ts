import * as pulumi from "@pulumi/pulumi";
import { sshFolder, type SshTarget, writeSshFiles } from "./sshFiles";

/** Access to a machine by SSH. */
export interface SshAccess {
  readonly address: pulumi.Input<string>;
  /** Port of sshd. Defaults to 22. */
  readonly port?: number;
  readonly user: string;
  /** Private key of the user, in PEM or OpenSSH's format. A secret. */
  readonly privateKey: pulumi.Input<string>;
  /** Public host key of the machine, as in a known_hosts file without the name: "ssh-ed25519 AAAA…". */
  readonly hostKey: pulumi.Input<string>;
  /** Further machines with the same login key, for commands that read the same files. Defaults to none. */
  readonly workers?: pulumi.Input<Required<SshTarget>["workers"]>;
}

/**
 * Configuration of sshd. Each resource on the host opens a connection of its own, and with more than ten unauthenticated connections
 * sshd's defaults refuse some at random. Part of the VM's customData: a change replaces the VM.
 */
export const SSHD_LIMITS = "MaxStartups 100:30:200\nMaxSessions 100\n";

/**
 * Returns options for an `ssh` that never prompts, logs in only with the given key and connects only to the machine with the pinned
 * host key. ssh reads both keys from files only, so the program writes these files in every run.
 */
export function sshOptions({
  address,
  port = 22,
  privateKey,
  hostKey,
  workers = [],
}: SshAccess): pulumi.Output<string[]> {
  const options = pulumi
    .all([address, privateKey, hostKey, workers])
    .apply(([host, key, publicKey, others]) =>
      writeSshFiles(sshFolder(pulumi.getStack()), {
        address: host,
        port,
        privateKey: key,
        hostKey: publicKey,
        workers: others,
      }),
    )
    .apply(({ identity, knownHosts }) => [
      ...["-i", identity],
      ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "GlobalKnownHostsFile=/dev/null"],
      ...["-o", "StrictHostKeyChecking=yes"],
      ...["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"],
    ]);
  // The options contain paths only, no secret.
  return pulumi.unsecret(options);
}

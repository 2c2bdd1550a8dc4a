import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What ssh must know about a machine, and takes from files alone. */
export interface SshTarget {
  readonly address: string;
  readonly port: number;
  readonly privateKey: string;
  /** Public host key: "ssh-ed25519 AAAA…". */
  readonly hostKey: string;
}

/** Where a stack's files for ssh are, relative to the project: absolute paths would differ on every machine. */
export function sshFolder(stack: string): string {
  return join(".store", "ssh", stack);
}

/** Writes the login key and the pinned host key, for our user alone. */
export function writeSshFiles(
  folder: string,
  { address, port, privateKey, hostKey }: SshTarget,
): { readonly identity: string; readonly knownHosts: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = port === 22 ? address : `[${address}]:${port}`;
  return {
    identity: putFile(join(folder, "identity"), `${privateKey.trimEnd()}\n`),
    knownHosts: putFile(join(folder, "known_hosts"), `${name} ${hostKey.trim()}\n`),
  };
}

/**
 * Writes a file as a whole: an ssh of another command may be reading it at this moment.
 *
 * @param mode @default for our user alone, and no program
 */
export function putFile(path: string, content: string, mode = 0o600): string {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content, { mode });
  // The mode above counts only where the file is new, and is subject to the umask.
  chmodSync(draft, mode);
  renameSync(draft, path);
  return path;
}

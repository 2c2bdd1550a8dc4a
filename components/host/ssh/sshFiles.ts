import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Values that ssh reads from files only. */
export interface SshTarget {
  readonly address: string;
  readonly port: number;
  readonly privateKey: string;
  /** Public host key: "ssh-ed25519 AAAA…". */
  readonly hostKey: string;
  /** Further machines with the same login key. Defaults to none. */
  readonly workers?: readonly Pick<SshTarget, "address" | "port" | "hostKey">[];
}

/** Returns the folder of a stack's files for ssh, relative to the project, because an absolute path differs between machines. */
export function sshFolder(stack: string): string {
  return join(".store", "ssh", stack);
}

/** Writes the login key and the pinned host key, readable by the current user only. */
export function writeSshFiles(
  folder: string,
  { privateKey, workers = [], ...first }: SshTarget,
): { readonly identity: string; readonly knownHosts: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const known = [first, ...workers].map(({ address, port, hostKey }) => {
    const name = port === 22 ? address : `[${address}]:${port}`;
    return `${name} ${hostKey.trim()}\n`;
  });
  return {
    identity: putFile(join(folder, "identity"), `${privateKey.trimEnd()}\n`),
    knownHosts: putFile(join(folder, "known_hosts"), known.join("")),
  };
}

/**
 * Replaces a file in one step, because an ssh of another command may be reading it.
 *
 * @param mode Permissions. Defaults to reading and writing by the current user only.
 */
export function putFile(path: string, content: string, mode = 0o600): string {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content, { mode });
  // writeFileSync applies the mode only to a new file, and reduces it by the umask.
  chmodSync(draft, mode);
  renameSync(draft, path);
  return path;
}

/** Returns the address of a machine. A user name may contain characters that are special in a URL, and an IPv6 address needs brackets. */
export function sshUrl(user: string, host: string, port: number): string {
  return `ssh://${encodeURIComponent(user)}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

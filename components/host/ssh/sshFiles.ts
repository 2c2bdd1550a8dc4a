import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";

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
  const files = { identity: join(folder, "identity"), knownHosts: join(folder, "known_hosts") };
  replaceFile(files.identity, `${privateKey.trimEnd()}\n`, { mode: 0o600 });
  replaceFile(files.knownHosts, known.join(""), { mode: 0o600 });
  return files;
}

/** Returns the address of a machine. A user name may contain characters that are special in a URL, and an IPv6 address needs brackets. */
export function sshUrl(user: string, host: string, port: number): string {
  return `ssh://${encodeURIComponent(user)}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

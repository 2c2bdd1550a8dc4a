import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@store/docker/messageOf";
import { findOnPath, run } from "@store/toolchain/system/run";
import { backendFolder } from "../backend";

/** A folder of a backend with a stack's history. */
interface HistoryFolder {
  readonly url: string;
  /** Path in the backend. */
  readonly path: string;
}

/**
 * Copies a stack's history between two backends that are folders or Azure containers. Pulumi has no command for it: it moves the state
 * only.
 *
 * @param scratch Empty folder for temporary files.
 * @returns undefined, or the reason why the history isn't copied.
 */
export async function copyHistory(
  from: string,
  to: string,
  stackPath: string,
  scratch: string,
): Promise<string | undefined> {
  const path = `.pulumi/history/${stackPath}`;
  const unsupported = [from, to].find((url) => !/^(file|azblob):\/\//.test(url));
  if (unsupported !== undefined) return `the history can't be copied from or to ${unsupported}`;
  try {
    const folder = await download({ url: from, path }, scratch);
    if (existsSync(folder)) await upload(folder, { url: to, path });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Returns a folder with the files, which doesn't exist if there are none. */
async function download({ url, path }: HistoryFolder, scratch: string): Promise<string> {
  const local = backendFolder(url);
  if (local !== undefined) return join(local, path);
  const { container, args, prefix } = azureContainer(url);
  mkdirSync(scratch, { recursive: true });
  const source = ["--source", container, "--pattern", `${prefix}${path}/*`];
  await az(["download-batch", ...source, "--destination", scratch, ...args]);
  return join(scratch, prefix, path);
}

async function upload(folder: string, { url, path }: HistoryFolder): Promise<void> {
  const local = backendFolder(url);
  if (local !== undefined) {
    cpSync(folder, join(local, path), { recursive: true });
    return;
  }
  const { container, args, prefix } = azureContainer(url);
  const target = ["--destination", container, "--destination-path", `${prefix}${path}`];
  // Without the files *.attrs, which only a file backend has.
  const source = ["--source", folder, "--pattern", "*[!s]"];
  await az(["upload-batch", ...target, ...source, "--overwrite", ...args]);
}

interface AzureContainer {
  readonly container: string;
  /** Options of az for the account. */
  readonly args: readonly string[];
  /** Path in the container with a slash at its end; empty for the container itself. */
  readonly prefix: string;
}

/** Reads `azblob://CONTAINER/PATH?storage_account=NAME`. */
export function azureContainer(url: string, env: NodeJS.ProcessEnv = process.env): AzureContainer {
  const { hostname, pathname, searchParams } = new URL(url);
  const path = pathname.replace(/^\/+|\/+$/g, "");
  const prefix = path === "" ? "" : `${path}/`;
  // az reads the variables for a key by itself, as the engine does.
  const hasKey = ["KEY", "SAS_TOKEN", "CONNECTION_STRING"].some(
    (name) => env[`AZURE_STORAGE_${name}`],
  );
  const account = searchParams.get("storage_account");
  const hasAccount = account !== null && !env["AZURE_STORAGE_CONNECTION_STRING"];
  const { domain, protocol, localemu } = Object.fromEntries(searchParams);
  const emulator = localemu === "true" ? `${protocol}://${domain}/${account}` : undefined;
  return {
    container: hostname,
    prefix,
    args: [
      ...(hasAccount ? ["--account-name", account] : []),
      ...(hasKey ? [] : ["--auth-mode", "login"]),
      ...(emulator === undefined ? [] : ["--blob-endpoint", emulator]),
    ],
  };
}

/** @throws an error with az's last line. */
async function az(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run("az", ["storage", "blob", ...args, "--output", "none"], {});
  if (code === 0) return;
  if (findOnPath("az") === undefined) {
    throw new Error("the history is copied by the Azure CLI (az), which isn't on PATH");
  }
  const reason = stderr.trim().split("\n").at(-1) || `exit code ${code ?? "none"}`;
  throw new Error(`az storage blob ${args[0]} failed: ${reason}`);
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { docker, labelled } from "../docker";
import { type Account, ALL_RIGHTS } from "./accounts";
import { trustRegistry } from "./daemonTrust";
import { requiresLogin, untilCaAvailable, untilListening } from "./readiness";
import { tlsProxyFiles, type TlsProxyFiles } from "./tlsProxy";

/** The rehearsal's registry: Debian's docker-registry with TLS and logins. */
export interface Registry {
  /** IP:PORT, the same for this machine and for the emulated VMs. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** Certificate of the registry's CA, PEM. */
  readonly authority: string;
}

const PORT = 5000;
/** Storage folder in the container, see image/registry.yml. */
const STORAGE = "/var/lib/rehearsal/registry";

/**
 * Starts the registry in the rehearsal's network, and makes this machine's Docker daemon trust its CA.
 *
 * @param ip Address of the registry in that network.
 */
export async function startRegistry(options: {
  readonly id: string;
  readonly image: string;
  readonly network: string;
  readonly ip: string;
}): Promise<Registry> {
  const { id, image, ip } = options;
  const username = "store";
  const password = randomBytes(18).toString("base64url");
  const name = registryContainer(id);
  await docker(
    ...["create", "--name", name, ...labelled(id)],
    ...["--network", options.network, "--ip", ip, image, ip],
  );
  const files = tlsProxyFiles([{ username, password, rights: ALL_RIGHTS }]);
  await copyFiles(files, name, "/var/lib/rehearsal");
  // Unchanged accounts need no reload, which would fail under the fault registry-away.
  activeFiles.set(id, JSON.stringify(files));
  await docker("start", name);
  const authority = await untilCaAvailable(name, (ca) => requiresLogin(ip, PORT, ca));
  const registry = { address: registryAddress(ip), username, password, authority };
  await trustRegistry(image, registry);
  return registry;
}

/** Returns IP:PORT of the registry with this IP address. */
export function registryAddress(ip: string): string {
  return `${ip}:${PORT}`;
}

/** Returns the name of the registry's container, by the rehearsal's ID. */
export function registryContainer(id: string): string {
  return `store-rehearsal-${id}-registry`;
}

/** Kills the registry with all its connections. Its storage stays. */
export async function killRegistry(container: string): Promise<void> {
  await docker("kill", container);
}

/** Restarts a killed registry, and waits until it accepts connections. */
export async function restartRegistry(container: string, address: string): Promise<void> {
  await docker("start", container);
  const [host = "", port = ""] = address.split(":");
  await untilListening(host, Number(port));
}

/** Waits until the upload of an image layer is in progress. */
export async function untilUploading(container: string): Promise<void> {
  const uploading = `[ -n "$(find ${STORAGE} -path '*/_uploads/*' -name data -size +0 2>/dev/null)" ]`;
  await docker("exec", container, "sh", "-c", `until ${uploading}; do sleep 0.1; done`);
}

/**
 * Lets these accounts log in beside the registry's own account. Requests in progress aren't interrupted.
 *
 * @param others Accounts of the emulated registries in Azure, all of which are served by this registry.
 */
export function setAccounts(
  id: string,
  { username, password }: Registry,
  others: readonly Account[],
): Promise<void> {
  const files = tlsProxyFiles([{ username, password, rights: ALL_RIGHTS }, ...others]);
  const change = (lastChange.get(id) ?? Promise.resolve()).then(() => activate(id, files));
  lastChange.set(
    id,
    change.catch(() => undefined),
  );
  return change;
}

/** Last change of the accounts, by the rehearsal's ID. Two changes at the same time would take each other's draft. */
const lastChange = new Map<string, Promise<void>>();

async function activate(id: string, files: TlsProxyFiles): Promise<void> {
  const text = JSON.stringify(files);
  if (activeFiles.get(id) === text) return;
  const name = registryContainer(id);
  await docker("exec", name, "mkdir", "-p", "/var/lib/rehearsal/draft");
  await copyFiles(files, name, "/var/lib/rehearsal/draft");
  await docker("exec", name, "reload-accounts.sh");
  activeFiles.set(id, text);
}

/** The TLS proxy's current files as JSON, by the rehearsal's ID. */
const activeFiles = new Map<string, string>();

/** Deletes all images in the registry. */
export async function emptyRegistry(id: string): Promise<void> {
  await docker("exec", registryContainer(id), "rm", "-rf", `${STORAGE}/docker`);
}

/** Returns the names of the repositories in the registry. */
export async function repositoriesIn(id: string): Promise<string[]> {
  const list = await docker(
    ...["exec", registryContainer(id), "sh", "-c"],
    `cd ${STORAGE}/docker/registry/v2/repositories 2>/dev/null && find . -name _manifests -type d || true`,
  );
  return list
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^\.\/|\/_manifests$/g, ""));
}

async function copyFiles(files: TlsProxyFiles, container: string, folder: string): Promise<void> {
  const draft = mkdtempSync(path.join(tmpdir(), "store-rehearsal-"));
  try {
    for (const [name, text] of Object.entries(files) as [string, string][]) {
      writeFileSync(path.join(draft, name), text, { mode: 0o600 });
    }
    await docker("cp", `${draft}/.`, `${container}:${folder}`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, dockerQuietly, dockerWithInput, labelled } from "../docker";
import { Account, ALL_RIGHTS } from "./accounts";
import { doorConfig } from "./tlsProxy";

/** The rehearsal's registry: a real one, with TLS and a login. */
export interface Registry {
  /** IP:PORT, the same for this machine and for the machines in the cloud. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** The certificate of its authority. */
  readonly authority: string;
}

const PORT = 5000;
const READY_LIMIT_MS = 30_000;
/** Where it keeps what it has, see image/registry.sh. */
const STORED = "/var/lib/rehearsal/registry";

/**
 * Starts it in the rehearsal's network, and makes this machine's daemon trust it.
 *
 * @param ip Its address in that network.
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
  const name = containerOf(id);
  await docker(
    ...["create", "--name", name, ...labelled(id)],
    ...["--network", options.network, "--ip", ip, image, ip],
  );
  const config = doorConfig([{ username, password, rights: ALL_RIGHTS }]);
  await giveFirstConfig(name, config);
  // It needn't be told again, and couldn't be while it is broken.
  admitted.set(id, config);
  await docker("start", name);
  const authority = await untilReady(name, ip);
  const registry = { address: registryAddress(ip), username, password, authority };
  await trust(image, registry);
  return registry;
}

export function registryAddress(ip: string): string {
  return `${ip}:${PORT}`;
}

/** Ends it without a word to those that it talks to. What it has, it keeps. */
export async function killRegistry(container: string): Promise<void> {
  await docker("kill", container);
}

/** Starts it again where it was, and waits until it takes connections. */
export async function startRegistryAgain(container: string, address: string): Promise<void> {
  await docker("start", container);
  const [host = "", port = ""] = address.split(":");
  const deadline = Date.now() + READY_LIMIT_MS;
  while (!(await accepts(host, Number(port)))) {
    if (Date.now() > deadline)
      throw new Error(`The registry doesn't come back within ${READY_LIMIT_MS / 1000} s.`);
    await sleep(200);
  }
}

/** Waits until somebody is in the middle of pushing an image to it. */
export async function untilPushed(container: string): Promise<void> {
  const begun = `[ -n "$(find ${STORED} -path '*/_uploads/*' -name data -size +0 2>/dev/null)" ]`;
  await docker("exec", container, "sh", "-c", `until ${begun}; do sleep 0.1; done`);
}

export function containerOf(id: string): string {
  return `store-rehearsal-${id}-registry`;
}

/**
 * From now on these may log in, beside the one whose registry it is. What is under way goes on.
 *
 * @param others Those of the registries in Azure, which all are this one.
 */
export async function admit(
  id: string,
  { username, password }: Registry,
  others: readonly Account[],
): Promise<void> {
  const config = doorConfig([{ username, password, rights: ALL_RIGHTS }, ...others]);
  if (admitted.get(id) === config) return;
  await dockerWithInput(
    config,
    ...["exec", "--interactive", containerOf(id), "sh", "-c", TAKE_CONFIG],
  );
  admitted.set(id, config);
}

/** The configuration that each one has, by id of the rehearsal. */
const admitted = new Map<string, string>();

// A mistake in it is said here, and not found out by the one that serves, which is process 1.
const TAKE_CONFIG =
  "umask 077 && cd /var/lib/rehearsal && cat >door.draft && haproxy -q -c -f door.draft && mv door.draft door.cfg && kill -USR2 1";

export async function emptyRegistry(id: string): Promise<void> {
  await docker("exec", containerOf(id), "sh", "-c", "rm -rf /var/lib/rehearsal/registry/docker");
}

/** The repositories that it has. */
export async function repositoriesIn(id: string): Promise<string[]> {
  const list = await docker(
    ...["exec", containerOf(id), "sh", "-c"],
    "cd /var/lib/rehearsal/registry/docker/registry/v2/repositories 2>/dev/null && find . -name _manifests -type d || true",
  );
  return list
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^\.\/|\/_manifests$/g, ""));
}

async function giveFirstConfig(name: string, config: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "store-rehearsal-"));
  try {
    writeFileSync(path.join(folder, "door.cfg"), config, { mode: 0o600 });
    await docker("cp", path.join(folder, "door.cfg"), `${name}:/var/lib/rehearsal/door.cfg`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes back what `trust` has put there. */
export async function distrust(image: string, address: string): Promise<void> {
  await onThisMachine(
    image,
    `rm -rf "/host/certs.d/${address}"; rmdir /host/certs.d 2>/dev/null || true`,
    "",
  );
}

async function trust(image: string, { address, authority }: Registry): Promise<void> {
  await onThisMachine(
    image,
    `mkdir -p "/host/certs.d/${address}" && cat >"/host/certs.d/${address}/ca.crt"`,
    authority,
  );
}

/** The daemon reads its folder anew at each pull. Written by a container: the user may not be root here, the daemon is. */
async function onThisMachine(image: string, script: string, input: string): Promise<void> {
  await dockerWithInput(
    input,
    ...[
      "run",
      "--rm",
      "--interactive",
      "--network",
      "none",
      "--volume",
      "/etc/docker:/host",
      "--entrypoint",
      "sh",
    ],
    ...[image, "-c", script],
  );
}

async function untilReady(name: string, ip: string): Promise<string> {
  const deadline = Date.now() + READY_LIMIT_MS;
  while (Date.now() < deadline) {
    if (await dockerQuietly("exec", name, "test", "-s", "/var/lib/rehearsal/config.yml")) {
      const authority = `${await docker("exec", name, "cat", "/var/lib/rehearsal/ca.crt")}\n`;
      if (await answers(ip, authority)) return authority;
    }
    await sleep(300);
  }
  const log = await docker("logs", "--tail", "5", name).catch((error: unknown) => String(error));
  throw new Error(
    `The rehearsal's registry doesn't answer within ${READY_LIMIT_MS / 1000} s. Its log ends with: ${log}`,
  );
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (accepted: boolean) => (): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", end(true)).once("timeout", end(false)).once("error", end(false));
  });
}

/** It answers when it asks for a login. */
function answers(ip: string, authority: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host: ip, port: PORT, path: "/v2/", ca: authority, agent: false, timeout: 2000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 401);
      },
    );
    call.once("timeout", () => call.destroy(new Error("timeout")));
    call.once("error", () => resolve(false));
    call.end();
  });
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, dockerQuietly, dockerWithInput, LABEL } from "../docker";

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
    ...["create", "--name", name, "--label", `${LABEL}=${id}`],
    ...["--network", options.network, "--ip", ip, image, ip],
  );
  await giveLogin(name, image, username, password);
  await docker("start", name);
  const authority = await untilReady(name, ip);
  const registry = { address: `${ip}:${PORT}`, username, password, authority };
  await trust(image, registry);
  return registry;
}

export function containerOf(id: string): string {
  return `store-rehearsal-${id}-registry`;
}

/** By standard input, because arguments and environment are there for everybody to see. */
async function giveLogin(
  name: string,
  image: string,
  username: string,
  password: string,
): Promise<void> {
  const hash = [
    "run",
    "--rm",
    "--interactive",
    "--network",
    "none",
    "--entrypoint",
    "htpasswd",
    image,
    "-iBn",
    username,
  ];
  const folder = mkdtempSync(path.join(tmpdir(), "store-rehearsal-"));
  try {
    writeFileSync(path.join(folder, "htpasswd"), `${await dockerWithInput(password, ...hash)}\n`);
    await docker("cp", path.join(folder, "htpasswd"), `${name}:/var/lib/rehearsal/htpasswd`);
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

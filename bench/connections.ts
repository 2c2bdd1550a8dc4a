/**
 * The gateway under thousands of connections from one address: what other visitors notice of them.
 *
 * A gateway with the store's configuration and memory limit, on addresses of 127.0.0.0/8 (on a Docker network, all would come from one
 * address), a small service behind it, and eight visitors from addresses of their own. For each kind of attack, the visitors' latencies
 * without and with it, one directly after the other; meanwhile the admin port and the port for the store's own requests are asked,
 * and the configuration is reloaded as an `up` does. Each attack is bounded (bench/connections/attack.ts).
 *
 *     npx tsx bench/connections.ts [seconds per measurement] [kind of attack]
 *
 * Linux only, because it takes Docker's host network. Its ports 80, 8080, 8404 and 8405 must be free on its addresses.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { HTTP_GET_SCRIPT } from "../components/container/health";
import { haproxyConfig, MEMORY_MIB } from "../components/gateway/haproxy";
import { findStack, readProject, baseImageNames } from "../packages/cli/project/project";
import { type Kind, KINDS } from "./connections/kinds";
import { printTable } from "./measure";

const ADDRESS = "127.77.0.1";
const SERVICE_PORT = 3000;
const NAME = `store-bench-connections-${randomBytes(3).toString("hex")}`;
const LIMITS = { requests: 500, connections: 500 };
const SCRIPTS = join(__dirname, "connections");

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 10);
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) =>
    kind.includes(process.argv[3] ?? ""),
  );
  const folder = mkdtempSync(join(tmpdir(), "store-bench-"));
  const service = start("service.ts", ADDRESS, String(SERVICE_PORT));
  try {
    startGateway(folder);
    await ready();
    const rows: string[][] = [];
    for (const kind of kinds) {
      rows.push(await measure(kind, seconds, folder));
      // The gateway forgets an address after 20 s.
      await sleep(21_000);
    }
    printTable(HEADERS, rows);
  } finally {
    service.kill();
    execFileSync("docker", ["rm", "--force", NAME], { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  }
}

const HEADERS = [
  "5,000 connections of one address",
  "opened",
  "p50 before, ms",
  "p50, ms",
  "p99 before, ms",
  "p99, ms",
  "failed",
  "admin, at most ms",
  "inside, at most ms",
  "reload, s",
];

interface Visits {
  readonly requests: number;
  readonly failures: number;
  readonly p50: number;
  readonly p99: number;
}

async function measure(kind: Kind, seconds: number, folder: string): Promise<string[]> {
  const visit = () => output<Visits>("visitors.ts", ADDRESS, "8080", String(seconds));
  const before = await visit();
  const connections = KINDS[kind];
  const attack = output<{ opened: number; requests: number }>(
    ...(["attack.ts", kind, ADDRESS, "8080", String(connections), String(seconds + 7)] as const),
  );
  // The attack has begun.
  await sleep(3_000);
  const [during, admin, inside, reload] = await Promise.all([
    visit(),
    slowest("http://127.0.0.1:8404/healthz", seconds),
    slowest(`http://${ADDRESS}:80/`, seconds),
    timeOfReload(folder),
  ]);
  const { opened, requests } = await attack;
  const total = requests > 0 ? `${opened}, ${requests} requests` : String(opened);
  return [
    kind,
    total,
    ...[before.p50, during.p50, before.p99, during.p99].map((value) => value.toFixed(1)),
    `${during.failures} of ${during.requests + during.failures}`,
    ...[admin, inside].map((value) => value.toFixed(0)),
    reload.toFixed(1),
  ];
}

/** Returns the longest of a series of requests, in milliseconds. @throws Error if one fails. */
async function slowest(url: string, seconds: number): Promise<number> {
  let longest = 0;
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    await sleep(100);
    const started = Date.now();
    const response = await fetch(url, { headers: { connection: "close" } });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    longest = Math.max(longest, Date.now() - started);
  }
  return longest;
}

/** Reloads the gateway's configuration as `up` does. Returns the seconds until the new one is in use. */
async function timeOfReload(folder: string): Promise<number> {
  const file = join(folder, "haproxy.cfg");
  const config = readFileSync(file, "utf8");
  const [, version = ""] = /string "([0-9a-f]{16})" if \{ path \/version/.exec(config) ?? [];
  const changed = version.split("").reverse().join("");
  writeFileSync(file, config.replaceAll(version, changed));
  const reload = readFileSync(join(__dirname, "../components/gateway/reload.sh"), "utf8");
  const started = Date.now();
  await promisify(execFile)("docker", [
    ...["exec", NAME, "bash", "-c", `${HTTP_GET_SCRIPT}\n${reload}`, "reload", changed],
  ]);
  return (Date.now() - started) / 1000;
}

function startGateway(folder: string): void {
  const { files } = haproxyConfig(
    [
      {
        ...{ service: "storefront", port: SERVICE_PORT, prefixes: ["/"], healthPath: "/" },
        ...{ rateLimits: [], timeouts: [] },
      },
    ],
    LIMITS,
    { hosts: ["localhost"] },
  );
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), name === "haproxy.cfg" ? onLoopback(content) : content);
  const image = baseImageNames(readProject(), findStack(readProject(), "dev")).haproxy.replace(
    /@.*$/,
    "",
  );
  execFileSync("docker", [
    ...["run", "--detach", "--name", NAME, "--network", "host", "--memory", `${MEMORY_MIB}m`],
    // On the host's network, ports below 1024 are root's.
    ...["--user", "0", "--volume", `${folder}:/etc/store:ro`, "--tmpfs", "/tmp"],
    ...["--entrypoint", "haproxy", image, "-W", "-db", "-f", "/etc/store/haproxy.cfg"],
  ]);
}

/** Changes the configuration for a gateway without a Docker network: its addresses, and that of the service instead of DNS. */
function onLoopback(config: string): string {
  return config
    .replace(/^ *bind :(80|8080)$/gm, `    bind ${ADDRESS}:$1`)
    .replace("bind :8404", "bind 127.0.0.1:8404")
    .replace(
      /^ *server-template (\S+) .*$/gm,
      `    server $1 ${ADDRESS}:${SERVICE_PORT} check inter 500ms`,
    );
}

async function ready(): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const answer = await fetch("http://127.0.0.1:8404/version").catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error(`the gateway isn't ready: docker logs ${NAME}`);
}

/** Starts a script of the folder bench/connections. */
function start(script: string, ...args: readonly string[]) {
  return spawn(process.execPath, [...process.execArgv, join(SCRIPTS, script), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Runs a script of that folder and returns its output. */
async function output<T>(script: string, ...args: readonly string[]): Promise<T> {
  const child = start(script, ...args);
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  return JSON.parse(text) as T;
}

void main();

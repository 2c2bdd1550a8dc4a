/**
 * Cost of HTTPS at the gateway: requests over TLS against plain ones, on connections that stay open and on new ones; the memory of open
 * connections; and handshakes a second.
 *
 * The gateway answers GET /api by itself, so that nothing else is measured. Slices of 2 s alternate between the four cases. A new
 * connection over TLS is a full handshake (wrk resumes no session). CPU time is that of the gateway's processes.
 *
 *     npx tsx bench/tls.ts [rounds]
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { reporter } from "@store/cli/terminal/terminal";
import { ensureWrk } from "@store/toolchain/tools/wrk";
import { docker } from "./containers";
import { median, printTable } from "./measure";
import { httpsOf } from "../test/integration/gateway/https";
import { type Gateway, TestNetwork } from "../test/integration/gateway/network";
import { run } from "../test/support/run";
import { TestAuthority } from "../test/support/certificates";

const NAME = "shop.example.org";
const CONNECTIONS = 16;
const SLICE_SECONDS = 2;
const IDLE_CONNECTIONS = 500;
/** Ports in the gateway's container; the one for plain requests doesn't redirect. */
const PORTS = { plain: 80, tls: 8443 };

interface Case {
  readonly name: string;
  readonly url: string;
  /** A connection for each request. */
  readonly isNew: boolean;
}

interface Measured {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 10);
  // The time limit of a fetch that hangs while the gateway starts doesn't keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  const wrk = await ensureWrk(reporter());
  const authority = new TestAuthority();
  const network = await TestNetwork.create();
  try {
    const https = httpsOf(authority.bundle({ names: [NAME] }), [NAME]);
    const gateway = await network.startGateway({}, {}, [], { https });
    const address = await addressOf(gateway);
    const cases = casesAt(address);
    const results = new Map(cases.map(({ name }) => [name, [] as Measured[]]));
    // The first round warms up.
    for (let round = 0; round <= rounds; round++)
      for (const one of cases) {
        const measured = await load(wrk, gateway, one);
        if (round > 0) results.get(one.name)?.push(measured);
      }
    printRequests(results);
    await printMemory(gateway, address);
  } finally {
    await network.dispose();
    authority.dispose();
    clearInterval(alive);
  }
}

function casesAt(address: string): Case[] {
  const plain = `http://${address}:${PORTS.plain}/api`;
  const tls = `https://${address}:${PORTS.tls}/api`;
  return [
    { name: "plain, open connections", url: plain, isNew: false },
    { name: "TLS, open connections", url: tls, isNew: false },
    { name: "plain, a connection each", url: plain, isNew: true },
    { name: "TLS, a handshake each", url: tls, isNew: true },
  ];
}

async function load(wrk: string, gateway: Gateway, { url, isNew }: Case): Promise<Measured> {
  const before = await cpuSeconds(gateway);
  const { code, output } = await run(wrk, [
    ...["--threads", "1", "--connections", String(CONNECTIONS)],
    ...["--duration", `${SLICE_SECONDS}s`, "--header", `Host: ${NAME}`],
    ...(isNew ? ["--header", "Connection: close"] : []),
    url,
  ]);
  const [, requests = ""] = /(\d+) requests in/.exec(output) ?? [];
  const [, perSecond = ""] = /Requests\/sec: +([\d.]+)/.exec(output) ?? [];
  if (code !== 0 || perSecond === "" || /Non-2xx|Socket errors: connect [^0]/.test(output))
    throw new Error(`wrk: ${output}`);
  const used = (await cpuSeconds(gateway)) - before;
  return { perSecond: Number(perSecond), cpuMicroseconds: (used * 1e6) / Number(requests) };
}

/** Returns the CPU time of the gateway's processes so far: utime and stime of proc(5), in ticks of 10 ms. */
async function cpuSeconds({ container }: Gateway): Promise<number> {
  const lines = await docker("exec", container, "bash", "-c", "cat /proc/[0-9]*/stat");
  return lines
    .split("\n")
    .filter((line) => line.includes("(haproxy)"))
    .map((line) => line.split(") ")[1]?.split(" ") ?? [])
    .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) / 100, 0);
}

function printRequests(results: ReadonlyMap<string, readonly Measured[]>): void {
  const [[, first = []] = []] = results;
  const cpu = (runs: readonly Measured[]): number =>
    median(runs.map(({ cpuMicroseconds }) => cpuMicroseconds));
  printTable(
    [`GET /api, ${CONNECTIONS} at a time`, "requests/s", "gateway's CPU µs", "to the first"],
    [...results].map(([name, runs]) => [
      name,
      median(runs.map(({ perSecond }) => perSecond)).toFixed(0),
      cpu(runs).toFixed(0),
      (cpu(runs) / cpu(first)).toFixed(1),
    ]),
  );
}

async function printMemory(gateway: Gateway, address: string): Promise<void> {
  const rows: string[][] = [];
  for (const [name, port] of Object.entries(PORTS)) {
    const before = await residentKib(gateway);
    const sockets = await Promise.all(
      Array.from({ length: IDLE_CONNECTIONS }, () => open(address, port)),
    );
    // HAProxy has answered on each of them.
    await sleep(1000);
    const grown = (await residentKib(gateway)) - before;
    for (const socket of sockets) socket.destroy();
    rows.push([name, (before / 1024).toFixed(0), (grown / IDLE_CONNECTIONS).toFixed(1)]);
  }
  printTable(
    [`${IDLE_CONNECTIONS} open connections`, "MiB before", "KiB for each connection"],
    rows,
  );
}

/** Opens a connection and sends a request on it. */
async function open(host: string, port: number): Promise<Socket> {
  const isTls = port === PORTS.tls;
  const socket = isTls
    ? connectTls({ host, port, servername: NAME, rejectUnauthorized: false })
    : connect({ host, port });
  await once(socket, isTls ? "secureConnect" : "connect");
  socket.write(`GET /api HTTP/1.1\r\nhost: ${NAME}\r\n\r\n`);
  await once(socket, "data");
  return socket;
}

async function residentKib({ container }: Gateway): Promise<number> {
  const lines = await docker("exec", container, "bash", "-c", "cat /proc/[0-9]*/status");
  return lines
    .split(/^(?=Name:)/m)
    .filter((status) => status.startsWith("Name:\thaproxy"))
    .reduce((sum, status) => sum + Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0), 0);
}

async function addressOf({ container }: Gateway): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return docker("inspect", "--format", format, container);
}

void main();

/**
 * Compares the store's health check, a long poll, with a plain check at a short start interval, which needs Docker 25 or later, and with a
 * plain check without one: time from the start of a container until it is healthy, and CPU time while it idles, in the container and in
 * Docker's processes. Linux only, with nothing else running that uses the daemon.
 *
 *     npx tsx bench/health.ts [seconds] [dockerd's PID file]
 */
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { Docker } from "@store/docker/docker";
import { resolveDockerEndpoint } from "@store/docker/endpoint";
import { HTTP_GET_SCRIPT, httpHealthCheck } from "../components/container/health";
import { median, nodeImage, printTable } from "./measure";

/** Number of containers per form, started one after the other. */
const CONTAINERS = 5;
/** Docker's unit of time, in nanoseconds. */
const SECOND = 1e9;
/** Clock ticks of /proc in milliseconds. */
const TICK_MS = 10;

const PLAIN = ["CMD", "bash", "-c", `${HTTP_GET_SCRIPT}\nhttp_get 3000 /`];

const FORMS: readonly (readonly [title: string, healthcheck: object])[] = [
  ["no check", { Test: ["NONE"] }],
  ["long poll", longPoll()],
  [
    "plain, every 0.5 s at first, then every 10 s",
    { ...plain(10), StartPeriod: 60 * SECOND, StartInterval: SECOND / 2 },
  ],
  ["plain, every 5 s", plain(5)],
];

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 120);
  const pidFile = process.argv[3] ?? "/var/run/docker.pid";
  const docker = new Docker(resolveDockerEndpoint(process.env, homedir(), ""));
  const { ApiVersion = "" } = (await docker.get<{ ApiVersion?: string }>("/version")) ?? {};
  const rows: string[][] = [];
  for (const [title, healthcheck] of FORMS) {
    if ("StartInterval" in healthcheck && Number(ApiVersion.split(".")[1]) < 44) continue;
    rows.push([title, ...(await measure(docker, healthcheck, seconds, pidFile))]);
  }
  docker.close();
  printTable(["", "healthy after ms", "Docker, CPU ms/s", "container, CPU ms/s"], rows);
}

/** Returns the table's cells: median time until healthy, and CPU time per container and second. */
async function measure(
  docker: Docker,
  healthcheck: object,
  seconds: number,
  pidFile: string,
): Promise<string[]> {
  const ids: string[] = [];
  const times: number[] = [];
  try {
    for (let i = 0; i < CONTAINERS; i++) {
      const id = await create(docker, healthcheck);
      ids.push(id);
      const start = Date.now();
      await docker.post(`/containers/${id}/start`);
      if ("Interval" in healthcheck) times.push(await healthyAfter(docker, id, start));
    }
    await pause(3_000);
    const before = await cpuMs(docker, ids, pidFile);
    await pause(seconds * 1_000);
    const after = await cpuMs(docker, ids, pidFile);
    const perSecond = (key: keyof CpuTime): string =>
      ((after[key] - before[key]) / seconds / CONTAINERS).toFixed(2);
    return [
      times.length === 0 ? "" : median(times).toFixed(0),
      perSecond("daemon"),
      perSecond("container"),
    ];
  } finally {
    for (const id of ids) await docker.remove(`/containers/${id}`, { force: true });
  }
}

async function create(docker: Docker, healthcheck: object): Promise<string> {
  const listen = 'require("http").createServer((_, r) => r.end("ok")).listen(3000)';
  const { body } = await docker.request("POST", "/containers/create", undefined, {
    Image: nodeImage(),
    Cmd: ["node", "-e", `setTimeout(() => ${listen}, 500)`],
    Healthcheck: healthcheck,
    HostConfig: { Init: true, Tmpfs: { "/tmp": "" } },
  });
  const { Id } = body as { Id?: string };
  if (Id === undefined) throw new Error(JSON.stringify(body));
  return Id;
}

async function healthyAfter(docker: Docker, id: string, start: number): Promise<number> {
  for (;;) {
    const found = await docker.get<{ State: { Health?: { Status: string } } }>(
      `/containers/${id}/json`,
    );
    if (found?.State.Health?.Status === "healthy") return Date.now() - start;
    await pause(20);
  }
}

/** CPU time in milliseconds. */
interface CpuTime {
  /** CPU time of dockerd, its children and the containers' shims, which start the checks. */
  readonly daemon: number;
  /** CPU time in the containers, which includes the checks' own processes. */
  readonly container: number;
}

async function cpuMs(docker: Docker, ids: readonly string[], pidFile: string): Promise<CpuTime> {
  const containers = await Promise.all(
    ids.map((id) => docker.get<{ State: { Pid: number } }>(`/containers/${id}/json`)),
  );
  return {
    daemon: daemonCpuMs(ids, readFileSync(pidFile, "utf8").trim()),
    container: containers
      .map((container) => cgroupCpuMs(container?.State.Pid ?? NaN))
      .reduce((sum, one) => sum + one, 0),
  };
}

/** Reads the CPU time of a process's control group, version 1 or 2. */
function cgroupCpuMs(pid: number): number {
  const groups = readProc(String(pid), "cgroup");
  const [, oldPath] = /^\d+:[^:]*\bcpuacct\b[^:]*:(.*)$/m.exec(groups) ?? [];
  if (oldPath !== undefined) {
    return Number(readFileSync(`/sys/fs/cgroup/cpuacct${oldPath}/cpuacct.usage`, "utf8")) / 1e6;
  }
  const [, path = ""] = /^0::(.*)$/m.exec(groups) ?? [];
  const [, microseconds] =
    /^usage_usec (\d+)$/m.exec(readFileSync(`/sys/fs/cgroup${path}/cpu.stat`, "utf8")) ?? [];
  return Number(microseconds) / 1e3;
}

function daemonCpuMs(ids: readonly string[], dockerd: string): number {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const [, fields = ""] = /.*\) (.*)/s.exec(readProc(pid, "stat")) ?? [];
      const [, parent, ...rest] = fields.split(" ");
      const commandLine = readProc(pid, "cmdline");
      if (pid !== dockerd && parent !== dockerd && !ids.some((id) => commandLine.includes(id)))
        return 0;
      // utime, stime, cutime and cstime of proc(5)
      return rest.slice(9, 13).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
    })
    .reduce((sum, one) => sum + one, 0);
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // The process has ended.
    return "";
  }
}

function plain(intervalSeconds: number): object {
  return { Test: PLAIN, Interval: intervalSeconds * SECOND, Timeout: 5 * SECOND, Retries: 3 };
}

function longPoll(): object {
  const { tests } = httpHealthCheck(3000, "/");
  return { Test: tests, Interval: SECOND / 2, Timeout: 120 * SECOND, Retries: 1 };
}

void main();

/**
 * Compares the start of a service on the bundled kit, as in its image, with the start on the kit's sources and packages: CPU time
 * until the service listens, and resident memory then. In containers of the stacks' Node image; Linux only, with a local Docker.
 *
 *     npx tsx bench/startup.ts [rounds]
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { median, nodeImage, printTable } from "./measure";

const ROOT = join(__dirname, "..");
const SERVICE = join(ROOT, "services/inventory");
/** Clock ticks of /proc in milliseconds. */
const TICK_MS = 10;
const PAGE_MIB = 4 / 1024;

interface Start {
  readonly cpuMs: number;
  readonly residentMiB: number;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 10);
  const folder = mkdtempSync(join(tmpdir(), "bench-startup-"));
  try {
    const kit = join(folder, "node_modules/@store/kit");
    const bundle = ["run", "--silent", "bundle", "-w", "@store/kit", "--"];
    execFileSync("npm", [...bundle, `--outfile=${kit}/index.js`], { cwd: ROOT, stdio: "inherit" });
    writeFileSync(join(kit, "package.json"), bundledPackage());
    const copy = join(folder, "service");
    for (const part of ["package.json", "src"])
      cpSync(join(SERVICE, part), join(copy, part), { recursive: true });

    writeFileSync(join(folder, "secret"), "secret");
    writeFileSync(join(folder, "tokens"), `staff ${"0".repeat(64)}\n`);
    const folders = { sources: SERVICE, bundle: copy };
    const starts: Record<keyof typeof folders, Start[]> = { sources: [], bundle: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of ["sources", "bundle"] as const)
        starts[name].push(await start(folder, folders[name]));
    }
    const cells = (name: keyof typeof folders): string[] =>
      (["cpuMs", "residentMiB"] as const).map((key) =>
        median(starts[name].map((one) => one[key])).toFixed(0),
      );
    printTable(
      ["kit", "CPU ms", "resident MiB"],
      [
        ["sources and packages", ...cells("sources")],
        ["one file", ...cells("bundle")],
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Text of the bundled kit's package.json, which the Dockerfile of its image writes. */
function bundledPackage(): string {
  const dockerfile = readFileSync(join(ROOT, "packages/kit/Dockerfile"), "utf8");
  const text = /printf '([^']+)' > dist\/package\.json/.exec(dockerfile)?.[1];
  if (text === undefined) throw new Error("packages/kit/Dockerfile writes no dist/package.json");
  return text;
}

/** Starts the service without a database, and removes the container when it listens. */
async function start(folder: string, cwd: string): Promise<Start> {
  const mounts = [ROOT, folder].flatMap((path) => ["--volume", `${path}:${path}:ro`]);
  const environment = {
    PORT: "3000",
    DATABASE_HOST: "127.0.0.1",
    DATABASE_NAME: "inventory",
    DATABASE_USER: "inventory",
    DATABASE_PASSWORD_FILE: join(folder, "secret"),
    STAFF_TOKENS_FILE: join(folder, "tokens"),
  };
  const variables = Object.entries(environment).flatMap(([name, value]) => [
    ...["--env", `${name}=${value}`],
  ]);
  const command = [nodeImage(), "node", "--single-threaded-gc", "src/main.ts"];
  const id = docker("run", "--detach", "--workdir", cwd, ...mounts, ...variables, ...command);
  try {
    const logs = spawn("docker", ["logs", "--follow", id], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface(logs.stdout)) {
      if (line.includes("Server listening"))
        return usage(docker("inspect", "--format", "{{.State.Pid}}", id));
    }
    throw new Error("the service ended before it listened");
  } finally {
    docker("rm", "--force", id);
  }
}

function docker(...args: string[]): string {
  return execFileSync("docker", args, { encoding: "utf8" }).trim();
}

function usage(pid: string): Start {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  return { cpuMs: (field(14) + field(15)) * TICK_MS, residentMiB: field(24) * PAGE_MIB };
}

void main();

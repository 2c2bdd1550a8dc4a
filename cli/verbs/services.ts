import { ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { withNeeds } from "../../config";
import { loadSpecs } from "../../services";
import { ServiceSpec } from "../../services/spec";
import { ExitCode, Failure, UsageError } from "../failure";
import { readProject, ROOT } from "../project";
import { createDoor, Target } from "../services/door";
import { listen, LocalDatabase, startPGlite } from "../services/pglite";
import { findState } from "../state";
import { colors } from "../terminal";

export interface ServicesOptions {
  /** The services to run, with those that they need; all where none is named. */
  readonly services: readonly string[];
  /** Port of the one address for all. */
  readonly port: number;
}

/** Runs services as processes of this machine, without Docker, until it is told to stop. */
export async function services(options: ServicesOptions): Promise<ExitCode> {
  const specs = loadSpecs();
  const unknown = options.services.find((name) => !specs.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `There is no service "${unknown}". There are: ${[...specs.keys()].join(", ")}.`,
    );
  }
  const names = withNeeds(
    options.services.length > 0 ? options.services : [...specs.keys()],
    specs,
  );
  const folder = join(findState(readProject()).folder, "services");
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const targets = await Promise.all(
    names.map(async (name): Promise<Target> => {
      const spec = specs.get(name);
      if (spec === undefined) throw new Error(`no spec of ${name}`);
      return { name, spec, port: await freePort() };
    }),
  );
  const door = createDoor(targets);
  const url = `http://localhost:${options.port}`;
  await openDoor(door, options.port);

  const databases = new Map<Target, LocalDatabase>();
  const running: ChildProcess[] = [];
  const stopped = signalled();
  try {
    process.stdout.write("Databases: PGlite, in this process. Data stays in .store/services.\n");
    // Before any service: a database that is made keeps this process from answering for a while.
    for (const target of targets.filter(({ spec }) => spec.database)) {
      databases.set(target, await startPGlite(join(folder, `${target.name}-data`)));
    }
    const width = Math.max(...names.map((name) => name.length));
    for (const target of targets) {
      const database = databases.get(target);
      const environment = environmentOf(target, { targets, folder, database, url });
      running.push(start(target, environment, width));
    }
    void announce(targets, url, folder);
    await stopped;
  } finally {
    await Promise.all(running.map(stop));
    door.close();
    door.closeAllConnections();
    await Promise.all([...databases.values()].map((database) => database.close()));
  }
  return ExitCode.Ok;
}

async function openDoor(door: ReturnType<typeof createDoor>, port: number): Promise<void> {
  try {
    await listen(door, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Failure(`Port ${port} is already in use.`, {
      remedy: `Name another one: ./store services --port ${port + 1}`,
    });
  }
}

interface Surroundings {
  readonly targets: readonly Target[];
  readonly folder: string;
  readonly database: LocalDatabase | undefined;
  readonly url: string;
}

/** The names that services/spec.ts promises. */
function environmentOf(
  { name, spec, port }: Target,
  { targets, folder, database, url }: Surroundings,
): NodeJS.ProcessEnv {
  const needs = targets.filter((other) => spec.needs?.includes(other.name));
  return {
    // What the person sets (LOG_LEVEL, PAYMENT_PROVIDER) goes to every service.
    ...process.env,
    PORT: String(port),
    HOST: "127.0.0.1",
    DRAIN_SECONDS: "0",
    GATEWAY_URL: url,
    ...Object.fromEntries(
      needs.map((other) => [
        `${other.name.toUpperCase().replaceAll("-", "_")}_URL`,
        `http://127.0.0.1:${other.port}`,
      ]),
    ),
    ...Object.fromEntries(
      (spec.secrets ?? []).map((secret) => [`${secret}_FILE`, secretFile(folder, secret)]),
    ),
    ...(database && {
      DEMO_DATA: "true",
      DATABASE_HOST: "127.0.0.1",
      DATABASE_PORT: String(database.port),
      // PGlite has this one database and this one user, who has no password; the service wants one all the same.
      DATABASE_NAME: "postgres",
      DATABASE_USER: "postgres",
      DATABASE_PASSWORD_FILE: secretFile(folder, `${name}-password`),
    }),
  };
}

/** Made once and kept, for this user alone. */
function secretFile(folder: string, name: string): string {
  const file = join(folder, name);
  if (!existsSync(file)) writeFileSync(file, randomBytes(20).toString("hex"), { mode: 0o600 });
  return file;
}

/** From its sources; a change in them, or in the kit, starts it anew. */
function start({ name }: Target, environment: NodeJS.ProcessEnv, width: number): ChildProcess {
  const kit = join(ROOT, "packages/kit/src");
  const child = spawn(
    process.execPath,
    [
      ...["--watch-path=src", `--watch-path=${kit}`, "--watch-preserve-output"],
      ...["--import", require.resolve("tsx"), "src/main.ts"],
    ],
    // A group of its own: what watches passes no signal on while what it watches is starting.
    {
      cwd: join(ROOT, "services", name),
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    },
  );
  const prefix = colors.dim(`${name.padEnd(width)} |`);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => process.stdout.write(`${prefix} ${line}\n`));
  }
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  const late = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), 5_000);
  await ended;
  clearTimeout(late);
}

/** Says where the store is, once it can be used; or who keeps it waiting. */
async function announce(targets: readonly Target[], url: string, folder: string): Promise<void> {
  const waiting = new Set(targets);
  for (let second = 1; waiting.size > 0; second++) {
    for (const target of waiting) if (await isReady(target)) waiting.delete(target);
    if (waiting.size > 0 && second % 30 === 0) {
      const names = [...waiting].map(({ name }) => name).join(", ");
      process.stdout.write(
        `${colors.yellow(`Not ready after ${second} s: ${names}.`)} Its lines above say why.\n`,
      );
    }
    await new Promise((resume) => setTimeout(resume, 1_000).unref());
  }
  const token = join(folder, "STAFF_TOKEN");
  process.stdout.write(
    `\nThe store is up, from its sources: ${colors.bold(url)} (Ctrl-C ends it)\n` +
      (existsSync(token) ? `The staff's token: ${readFileSync(token, "utf8")}\n` : "") +
      "\n",
  );
}

async function isReady({ port, spec }: Target & { readonly spec: ServiceSpec }): Promise<boolean> {
  const path = spec.health.path ?? "/readyz";
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).ok;
  } catch {
    // Not listening yet.
    return false;
  }
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => resolve());
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

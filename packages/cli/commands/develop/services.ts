import { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { loadSpecs, withDependencies } from "../../../../services";
import { dependenciesOf, healthPath, ServiceSpec } from "../../../../services/spec";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { takeLock } from "../../state/locks";
import { readProject, ROOT } from "../../project/project";
import { ServiceDatabase } from "../../devServices/database";
import { createDoor, Target } from "../../devServices/reverseProxy";
import { listen, startPGlite } from "../../devServices/pglite";
import { OwnPostgres } from "../../devServices/postgres";
import { startService, stopService } from "../../devServices/process";
import { findState } from "../../state/state";
import { colors } from "../../terminal/terminal";

export interface ServicesOptions {
  /** The services to run, with those that they need; all where none is named. */
  readonly services: readonly string[];
  /** Port of the one address for all. */
  readonly port: number;
  /** URL of a PostgreSQL with a database for each service. @default none: PGlite, in this process */
  readonly postgres?: string;
}

/** Runs services as processes of this machine, without Docker, until it is told to stop. */
export async function services(options: ServicesOptions): Promise<ExitCode> {
  const targets = await targetsFor(options.services);
  // A call of one that isn't run finds nobody, as of one that is down.
  const runnable = runnableOf(targets);
  const folder = join(findState(readProject()).folder, "services");
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const door = createDoor(runnable);
  const url = `http://localhost:${options.port}`;
  await openDoor(door, options.port);

  const running: ChildProcess[] = [];
  let databases: Databases | undefined;
  const stopped = signalled();
  try {
    databases = await openDatabases(options.postgres, folder);
    // Before any service: a database that is made keeps this process from answering for a while.
    const found = new Map<Target, ServiceDatabase>();
    for (const target of runnable.filter(({ spec }) => spec.database)) {
      found.set(target, await databases.of(target.name));
    }
    const width = Math.max(...runnable.map(({ name }) => name.length));
    const ended = new Set<Target>();
    for (const target of runnable) {
      const database = found.get(target);
      const environment = environmentOf(target, { targets, folder, database, url });
      running.push(
        startService(target.name, environment, width, () => {
          ended.add(target);
        }),
      );
    }
    void announce({ targets: runnable, ended, url, folder });
    await stopped;
  } finally {
    await Promise.all(running.map(stopService));
    door.close();
    door.closeAllConnections();
    await databases?.close();
  }
  return ExitCode.Ok;
}

async function targetsFor(wanted: readonly string[]): Promise<Target[]> {
  const specs = loadSpecs();
  const unknown = wanted.find((name) => !specs.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `There is no service "${unknown}". There are: ${[...specs.keys()].join(", ")}.`,
    );
  }
  const names = withDependencies(wanted.length > 0 ? wanted : [...specs.keys()], specs);
  return Promise.all(
    names.map(async (name): Promise<Target> => {
      const spec = specs.get(name);
      if (spec === undefined) throw new Error(`no spec of ${name}`);
      return { name, spec, port: await freePort() };
    }),
  );
}

/** Those that are started as Node programs; it says which ones aren't. */
function runnableOf(targets: readonly Target[]): Target[] {
  const isNode = ({ name }: Target): boolean =>
    ["package.json", "src/main.ts"].every((file) => existsSync(join(ROOT, "services", name, file)));
  const runnable = targets.filter(isNode);
  const others = targets.filter((target) => !isNode(target)).map(({ name }) => name);
  const why = (name: string): string =>
    `${name} isn't run: services/${name} has no package.json and src/main.ts, so it is no Node service.`;
  if (runnable.length === 0) {
    throw new CliError(others.map(why).join("\n"), { hint: "Docker runs it: ./store up" });
  }
  for (const name of others) {
    process.stdout.write(`${colors.yellow(why(name))} Docker runs it: ./store up\n`);
  }
  return runnable;
}

/** The services' databases, made where they are missing. */
interface Databases {
  of(service: string): Promise<ServiceDatabase>;
  close(): Promise<void>;
}

async function openDatabases(url: string | undefined, folder: string): Promise<Databases> {
  if (url !== undefined) {
    const postgres = await OwnPostgres.connect(url);
    process.stdout.write("Databases: store_NAME in the PostgreSQL of --postgres.\n");
    return { of: (service) => postgres.databaseOf(service), close: () => postgres.close() };
  }
  // Two that write into the same data would ruin them.
  const release = takeLock(join(folder, "lock.json"), "services", "services", ({ pid }) => {
    return new CliError(`The databases in ${folder} are in use by process ${pid}.`, {
      hint: `End that one (kill -INT ${pid}), or use databases elsewhere: STORE_STATE_DIR=FOLDER ./store services`,
    });
  });
  process.stdout.write(`Databases: PGlite, in this process. Data stays in ${folder}.\n`);
  const opened: { close(): Promise<void> }[] = [];
  return {
    of: async (service) => {
      const database = await startPGlite(join(folder, `${service}-data`));
      opened.push(database);
      return database;
    },
    close: async () => {
      await Promise.all(opened.map((database) => database.close()));
      release();
    },
  };
}

async function openDoor(door: ReturnType<typeof createDoor>, port: number): Promise<void> {
  try {
    await listen(door, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new CliError(`Port ${port} is already in use.`, {
      hint: `Name another one: ./store services --port ${port + 1}`,
    });
  }
}

interface Surroundings {
  readonly targets: readonly Target[];
  readonly folder: string;
  readonly database: ServiceDatabase | undefined;
  readonly url: string;
}

/** The names that services/spec.ts promises. */
function environmentOf(
  { spec, port }: Target,
  { targets, folder, database, url }: Surroundings,
): NodeJS.ProcessEnv {
  const needs = targets.filter((other) => dependenciesOf(spec).includes(other.name));
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
      DATABASE_HOST: database.host,
      DATABASE_PORT: String(database.port),
      DATABASE_NAME: database.name,
      DATABASE_USER: database.user,
      DATABASE_PASSWORD_FILE: passwordFile(folder, database.password),
      DATABASE_PREPARE: String(database.oneSession !== true),
    }),
  };
}

/** Made once and kept, for this user alone. */
function secretFile(folder: string, name: string): string {
  const file = join(folder, name);
  if (!existsSync(file)) writeFileSync(file, randomBytes(20).toString("hex"), { mode: 0o600 });
  return file;
}

/** Where no password is wanted, the service wants one all the same. */
function passwordFile(folder: string, password: string | undefined): string {
  if (!password) return secretFile(folder, "no-password");
  const file = join(folder, "postgres-password");
  writeFileSync(file, password, { mode: 0o600 });
  return file;
}

interface Announcement {
  readonly targets: readonly Target[];
  /** Those that ended by themselves: nobody waits for them. */
  readonly ended: ReadonlySet<Target>;
  readonly url: string;
  readonly folder: string;
}

/** Says where the store is, once it can be used; or who keeps it waiting. */
async function announce({ targets, ended, url, folder }: Announcement): Promise<void> {
  const waiting = new Set(targets);
  for (let second = 1; waiting.size > 0; second++) {
    for (const target of waiting) {
      if (ended.has(target) || (await isReady(target))) waiting.delete(target);
    }
    if (waiting.size > 0 && second % 30 === 0) {
      const names = [...waiting].map(({ name }) => name).join(", ");
      process.stdout.write(
        `${colors.yellow(`Not ready after ${second} s: ${names}.`)} Its lines above say why.\n`,
      );
    }
    await new Promise((resume) => setTimeout(resume, 1_000).unref());
  }
  const without = [...ended].map(({ name }) => name).join(", ");
  const token = join(folder, "STAFF_TOKEN");
  process.stdout.write(
    `\nThe store is up${without && ` without ${without}`}, from its sources: ${colors.bold(url)} (Ctrl-C ends it)\n` +
      (existsSync(token) ? `The staff's token: ${readFileSync(token, "utf8")}\n` : "") +
      "\n",
  );
}

async function isReady({ port, spec }: Target & { readonly spec: ServiceSpec }): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${healthPath(spec)}`)).ok;
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

import { execFile, execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { parse } from "yaml";
import settings from "../../../../components/database/postgresSettings.json" with { type: "json" };
import { freePort } from "./freePort.ts";
import { repositoryRoot } from "./service.ts";

/** The image that the stacks use. TEST_POSTGRES_IMAGE replaces it. */
const IMAGE = process.env["TEST_POSTGRES_IMAGE"] ?? imageOfTheStacks();

/** Limit for PostgreSQL's start, which takes seconds on a busy machine. */
const START_SECONDS = 180;

/** Label on the test containers. Its value is `HOSTNAME/PID` of the test run. */
const LABEL = "dev.store.test";

/** A database for one test, in the PostgreSQL container that all tests of a mocha run share. */
export interface TestDatabase {
  /** The variables with which a service connects to the database. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs a statement on a new connection. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Opens a connection, for example to hold a lock. The caller ends it. */
  connect(): Promise<pg.Client>;
}

interface Container {
  readonly id: string;
  readonly port: number;
  readonly password: string;
  readonly folder: string;
}

let running: Promise<Container> | undefined;

/** Creates an empty database. Starts the container when it is first called. */
export async function createDatabase(): Promise<TestDatabase> {
  const container = await (running ??= run());
  const name = `test_${randomBytes(6).toString("hex")}`;
  const connect = (database: string) => connectTo(container, database);
  const admin = await connect("postgres");
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  return {
    environment: {
      DATABASE_HOST: "127.0.0.1",
      DATABASE_PORT: String(container.port),
      DATABASE_NAME: name,
      DATABASE_USER: "postgres",
      DATABASE_PASSWORD_FILE: join(container.folder, "password"),
    },
    async query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      const client = await connect(name);
      try {
        return (await client.query<Row>(sql, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    connect: () => connect(name),
  };
}

/** Returns PostgreSQL's log for all databases. */
export async function postgresLog(): Promise<string> {
  const { id } = await (running ??= run());
  const { stdout, stderr } = spawnSync("docker", ["logs", id], { encoding: "utf8" });
  return stdout + stderr;
}

/** Stops PostgreSQL for all databases. startPostgres starts it again. */
export async function stopPostgres(): Promise<void> {
  docker("stop", "--time", "20", (await (running ??= run())).id);
}

export async function startPostgres(): Promise<void> {
  const container = await (running ??= run());
  docker("start", container.id);
  await waitForPostgres(container);
}

/** Kills PostgreSQL (SIGKILL) and starts it again. Resolves when it accepts connections. */
export async function crashPostgres(): Promise<void> {
  const container = await (running ??= run());
  // Asynchronous, because the proxies and callers of the test run in this process.
  const docker = promisify(execFile);
  await docker("docker", ["kill", "--signal", "KILL", container.id]);
  await docker("docker", ["start", container.id]);
  await waitForPostgres(container);
}

async function run(): Promise<Container> {
  removeOrphans();
  const password = randomBytes(12).toString("hex");
  // A fixed port, so that it stays the same after a restart of the container.
  const port = await freePort();
  // Registered before the container exists. A signal during `docker run` is handled after it, when there is a container to remove.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }
  let id: string;
  try {
    id = docker(
      ...["run", "--detach", "--label", `${LABEL}=${hostname()}/${process.pid}`],
      ...["--env", `POSTGRES_PASSWORD=${password}`, "--publish", `127.0.0.1:${port}:5432`],
      ...[IMAGE, ...asArguments({ ...settings, fsync: "off", full_page_writes: "off" })],
    );
  } catch (error) {
    throw new Error(
      `Can't start PostgreSQL for the tests from the image ${IMAGE}. Run "./store doctor" to check Docker, or set ` +
        `TEST_POSTGRES_IMAGE to another image.`,
      { cause: error },
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  writeFileSync(join(folder, "password"), `${password}\n`, { mode: 0o600 });
  const container = { id, port, password, folder };
  removeAtExit(container);
  await waitForPostgres(container);
  return container;
}

function asArguments(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Removes the container when the process exits. Synchronous, because an interrupted process waits for no promise. */
function removeAtExit({ id, folder }: Container): void {
  process.once("exit", () => {
    spawnSync("docker", ["rm", "--force", "--volumes", id]);
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Removes the containers of test runs that were killed (SIGKILL). */
function removeOrphans(): void {
  const format = `{{.ID}} {{.Label "${LABEL}"}}`;
  for (const line of docker("ps", "--filter", `label=${LABEL}`, "--format", format).split("\n")) {
    const [, id = "", host = "", pid = ""] = /^(\w+) (.*)\/(\d+)$/.exec(line) ?? [];
    if (host === hostname() && !isAlive(Number(pid))) docker("rm", "--force", "--volumes", id);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function waitForPostgres(container: Container): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1_000;
  for (;;) {
    try {
      await (await connectTo(container, "postgres")).end();
      return;
    } catch (error) {
      if (
        Date.now() > deadline ||
        docker("inspect", "-f", "{{.State.Running}}", container.id) !== "true"
      ) {
        const log = spawnSync("docker", ["logs", "--tail", "20", container.id], {
          encoding: "utf8",
        });
        throw new Error(
          `PostgreSQL didn't start within ${START_SECONDS} s. Its log ends with:\n${log.stdout}${log.stderr}`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function connectTo({ port, password }: Container, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", password, database });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

function imageOfTheStacks(): string {
  const project = parse(readFileSync(join(repositoryRoot, "Pulumi.yaml"), "utf8")) as {
    readonly config: { readonly "store:postgresImage": { readonly default: string } };
  };
  // A fallback image has no digest.
  return project.config["store:postgresImage"].default.replace(/@.*$/, "");
}

function docker(...args: string[]): string {
  return execFileSync("docker", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

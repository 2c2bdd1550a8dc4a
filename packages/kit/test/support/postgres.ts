import { execFile, execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { parse } from "yaml";
import settings from "../../../../components/database/postgresSettings.json" with { type: "json" };
import { freePort, repositoryRoot } from "./service.ts";

/** What the stacks run, or what TEST_POSTGRES_IMAGE names instead. */
const IMAGE = process.env["TEST_POSTGRES_IMAGE"] ?? imageOfTheStacks();

/** On the containers of a run: machine/process. */
const LABEL = "dev.store.test";

/** A database of its own in the one PostgreSQL that a run of mocha shares. */
export interface TestDatabase {
  /** What the service under test finds it by. */
  readonly environment: Readonly<Record<string, string>>;
  /** Looks into it, past the service. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A connection that holds a transaction open, say. The caller ends it. */
  connect(): Promise<pg.Client>;
}

interface Container {
  readonly id: string;
  readonly port: number;
  readonly password: string;
  readonly folder: string;
}

let running: Promise<Container> | undefined;

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

/** All that PostgreSQL has logged, for whichever database. */
export async function postgresLog(): Promise<string> {
  const { id } = await (running ??= run());
  const { stdout, stderr } = spawnSync("docker", ["logs", id], { encoding: "utf8" });
  return stdout + stderr;
}

/** Stops PostgreSQL for every test that uses it, until startPostgres. */
export async function stopPostgres(): Promise<void> {
  docker("stop", "--time", "20", (await (running ??= run())).id);
}

export async function startPostgres(): Promise<void> {
  const container = await (running ??= run());
  docker("start", container.id);
  await answering(container);
}

/** Kills PostgreSQL as if its machine had lost power, and starts it again. Resolves when it answers. */
export async function crashPostgres(): Promise<void> {
  const container = await (running ??= run());
  // Not waited for here in one piece: who tests this has proxies and callers in this very process.
  const docker = promisify(execFile);
  await docker("docker", ["kill", "--signal", "KILL", container.id]);
  await docker("docker", ["start", container.id]);
  await answering(container);
}

async function run(): Promise<Container> {
  removeOrphans();
  const password = randomBytes(12).toString("hex");
  // A fixed port, which stays the same when the container is stopped and started again.
  const port = await freePort();
  // Before there is anything to remove: a signal that comes meanwhile waits until there is.
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
      `PostgreSQL for the tests doesn't start from the image ${IMAGE}. "./store doctor" says what Docker lacks; ` +
        `TEST_POSTGRES_IMAGE names another image.`,
      { cause: error },
    );
  }
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  writeFileSync(join(folder, "password"), `${password}\n`, { mode: 0o600 });
  const container = { id, port, password, folder };
  removeAtExit(container);
  await answering(container);
  return container;
}

function asArguments(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** However the run ends: nothing waits for a promise when it is interrupted. */
function removeAtExit({ id, folder }: Container): void {
  process.once("exit", () => {
    spawnSync("docker", ["rm", "--force", "--volumes", id]);
    rmSync(folder, { recursive: true, force: true });
  });
}

/** What runs left behind that were killed outright. */
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

async function answering(container: Container): Promise<void> {
  const deadline = Date.now() + 40_000;
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
          `PostgreSQL doesn't start. Its log ends with:\n${log.stdout}${log.stderr}`,
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
  return project.config["store:postgresImage"].default;
}

function docker(...args: string[]): string {
  return execFileSync("docker", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

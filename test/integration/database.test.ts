import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as random from "@pulumi/random";
import { Database, DatabaseData } from "../../components/database/database";
import { LocalHost } from "../../components/host/localHost";
import { baseImageNames, findStack, readProject } from "../../packages/cli/project/project";
import { DEFAULT_STACK } from "@store/cli/project/storeCommand";
import { COMMAND, CONTAINER, reset, resource, setMocks } from "../unit/mocks";
import { eventually } from "./support/eventually";
import { docker, run } from "../support/run";

/** The database's container on real Docker, with the arguments that the component gives to it. */
describe("a database's container", () => {
  const name = `store-test-${randomBytes(4).toString("hex")}`;
  const project = readProject();
  // A fallback image has no digest.
  const image = baseImageNames(project, findStack(project, DEFAULT_STACK)).postgres.replace(
    /@.*$/,
    "",
  );
  let inputs: ContainerInputs;
  let roleCommand: string;
  let containers: string[];
  let volume: string;

  before(async () => {
    await setMocks();
    reset();
    const host = new LocalHost("local", { dockerHost: "unix:///test.sock" });
    const opts = { providers: [host.provider, new random.Provider("passwords")] };
    const data = new DatabaseData("orders-data", { service: "orders", host }, opts);
    new Database("orders-database", { service: "orders", host, data, imageId: image }, opts);
    inputs = (await resource(CONTAINER, "orders-database")).inputs as unknown as ContainerInputs;
    roleCommand = String((await resource(COMMAND, "orders-database-role")).inputs["create"]);
    await docker("volume", "create", secrets);
    await writePassword("secret");
  });
  beforeEach(() => {
    containers = [];
    volume = `${name}-${randomBytes(4).toString("hex")}`;
  });
  afterEach(async () => {
    for (const container of containers) await run("docker", ["rm", "--force", container]);
    await run("docker", ["volume", "rm", volume]);
  });
  after(() => run("docker", ["volume", "rm", secrets]));
  const secrets = `${name}-secrets`;

  it("starts over when it was killed during its first start, and keeps its data when it is killed later", async () => {
    const moments = [
      /running bootstrap script/,
      /CREATE DATABASE/,
      /init process complete/,
      /port 5433/,
    ];
    // On a slow machine, a kill can come too late to interrupt the first start.
    const complete = /Skipping initialization/;
    for (const moment of moments) {
      const container = await start();
      await untilLogged(container, new RegExp(`${moment.source}|${complete.source}`));
      await docker("kill", container);
      await docker("rm", container);
    }
    const container = await start();
    await healthy(container);
    await query(container, "CREATE TABLE kept AS SELECT 42 AS value");
    await docker("kill", container);
    await docker("start", container);
    await healthy(container);
    assert.equal(await query(container, "SELECT value FROM kept"), "42");
  });

  it("uses the data of a release whose image initialised them by itself", async () => {
    const earlier = await start({ entrypoints: ["docker-entrypoint.sh"] });
    await healthy(earlier);
    await query(earlier, "CREATE TABLE kept AS SELECT 42 AS value");
    await docker("rm", "--force", earlier);
    const container = await start();
    await healthy(container);
    assert.equal(await query(container, "SELECT value FROM kept"), "42");
  });

  it("starts over when an earlier release was killed during its first start, which filled the data folder in place", async () => {
    // The first step of the image's entry point without those after it: however late the kill comes, it is before CREATE DATABASE.
    const entrypoints = ["initdb", "--username=orders"];
    for (const moment of [
      /running bootstrap script/,
      /performing post-bootstrap/,
      /syncing data/,
    ]) {
      await run("docker", ["volume", "rm", "--force", volume]);
      const earlier = await start({ entrypoints, command: [] });
      await untilLogged(earlier, moment);
      await docker("rm", "--force", earlier);
      const container = await start();
      await healthy(container);
      assert.equal(await query(container, "SELECT 1"), "1");
      await docker("rm", "--force", container);
    }
  });

  it("keeps a data folder that isn't half-made: other files, or a database of the service", async () => {
    const fill = (path: string, text: string): Promise<string> =>
      docker(
        ...["run", "--rm", "--user", inputs.user, "--volume", `${volume}:/var/lib/postgresql`],
        ...["--entrypoint", "sh", image, "-c"],
        `cd /var/lib/postgresql && mkdir -p $(dirname ${path}) && echo ${text} >${path}`,
      );
    await fill("18/docker/mine", "text");
    await untilLogged(await start(), /contains files, but no database/);
    await fill("18/docker/PG_VERSION", "18");
    await fill("18/docker/base/16384/PG_VERSION", "18");
    // PostgreSQL itself finds the folder incomplete.
    await untilLogged(await start(), /could not|FATAL/);
    const kept = await docker(
      ...["run", "--rm", "--volume", `${volume}:/data`, "--entrypoint", "cat", image],
      "/data/18/docker/mine",
    );
    assert.equal(kept.trim(), "text");
  });

  it("waits until no other container uses the data", async () => {
    const first = await start();
    await healthy(first);
    const second = await start();
    await untilLogged(second, /Waiting until another container stops using the data/);
    await docker("stop", first);
    await healthy(second);
  });

  it("starts with another password on the data of a killed server", async () => {
    const first = await start();
    await healthy(first);
    await query(first, "CREATE TABLE kept AS SELECT 42 AS value");
    await docker("kill", first);
    await writePassword("it's replaced");
    try {
      const second = await start();
      await healthy(second);
      assert.equal(await query(second, "SELECT value FROM kept"), "42");
      assert.doesNotMatch(await docker("logs", second), /replaced/);
    } finally {
      await writePassword("secret");
    }
  });

  it("is unhealthy when its service can't log in", async () => {
    // Like the data of a first start that was interrupted: without the rule for connections from other containers.
    const rules = "local all all trust\\nhost all all 127.0.0.1/32 trust\\n";
    const container = await start({
      entrypoints: [
        ...["sh", "-c", `printf '${rules}' >/tmp/pg_hba.conf; exec docker-entrypoint.sh "$@"`],
        "start",
      ],
      command: ["postgres", "-c", "hba_file=/tmp/pg_hba.conf"],
    });
    await untilLogged(container, /process complete[^]*ready to accept connections/);
    await eventually(
      async () =>
        (await run("docker", ["exec", container, "pg_isready", "--host=127.0.0.1"])).code === 0,
      "PostgreSQL doesn't accept connections",
    );
    const login = inputs.healthcheck.tests.slice(7);
    const { code, output } = await run("docker", ["exec", container, ...login]);
    assert.notEqual(code, 0);
    assert.match(output, /no pg_hba.conf entry/);
  });

  it("gives the service a role that owns its data and may nothing else, also the data of an earlier release", async () => {
    const container = await start();
    await healthy(container);
    await query(
      container,
      `CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, n serial, mood text);
       CREATE TYPE mood AS ENUM ('fine'); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
       CREATE SCHEMA old; CREATE VIEW old.v AS SELECT * FROM things; INSERT INTO things (mood) VALUES ('kept')`,
    );
    const rights = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    assert.equal(await query(container, rights), "t");
    await setRole(container);
    await setRole(container);
    assert.equal(await query(container, rights), "f");
    await healthy(container);
    // Everything that a migration does.
    const change = `ALTER TABLE things ADD x int; ALTER TYPE mood ADD VALUE 'bad'; DROP FUNCTION f(); DROP SCHEMA old CASCADE;
      CREATE TABLE more (); SELECT mood FROM things`;
    assert.match(await query(container, change), /^kept\b/);
    for (const attack of [
      "COPY more TO PROGRAM 'id'",
      "SELECT pg_read_file('/etc/passwd')",
      "CREATE ROLE mallory SUPERUSER",
      "SET ROLE postgres",
    ]) {
      const { code } = await run("docker", [
        ...["exec", container, "psql", "--username=orders", "orders", "--command", attack],
      ]);
      assert.notEqual(code, 0, attack);
    }
    await docker("restart", container);
    await healthy(container);
    assert.equal(await query(container, "SELECT mood FROM things"), "kept");
  });

  it("takes a replaced password while it runs", async () => {
    const container = await start();
    await healthy(container);
    await setRole(container);
    try {
      await writePassword("it's another");
      const login = inputs.healthcheck.tests.slice(7);
      assert.notEqual((await run("docker", ["exec", container, ...login])).code, 0);
      await setRole(container);
      await docker("exec", container, ...login);
    } finally {
      await writePassword("secret");
    }
  });

  it("runs parallel queries with more shared memory than Docker's default", async () => {
    const container = await start();
    await healthy(container);
    const rows = await query(
      container,
      `CREATE TABLE large AS SELECT id, repeat('x', 100) AS text FROM generate_series(1, 700000) AS id;
       ANALYZE large;
       SET work_mem = '64MB'; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET enable_mergejoin = off;
       SELECT count(*) FROM large AS a JOIN large AS b USING (id) WHERE a.text = b.text`,
    );
    assert.match(rows, /700000$/);
  });

  it("runs an image whose user has another ID", async () => {
    const other = `${name}-image`;
    const change =
      "usermod --uid 70 postgres && groupmod --gid 70 postgres && chown -R postgres:postgres /var/lib/postgresql";
    const build = `printf 'FROM ${image}\nRUN ${change}\n' | docker build --tag ${other} -`;
    assert.equal((await run("sh", ["-c", build])).code, 0);
    try {
      const container = await start({ image: other });
      await healthy(container);
    } finally {
      await run("docker", ["rmi", "--force", other]);
    }
  });

  interface ContainerInputs {
    readonly entrypoints: readonly string[];
    readonly command: readonly string[];
    readonly user: string;
    readonly envs: readonly string[];
    readonly tmpfs: Readonly<Record<string, string>>;
    readonly memory: number;
    readonly shmSize: number;
    readonly healthcheck: { readonly tests: readonly string[] };
  }

  /** Starts a container with the component's arguments. Returns its name. */
  async function start(
    changes: Partial<Pick<ContainerInputs, "entrypoints" | "command">> & { image?: string } = {},
  ): Promise<string> {
    const { user, envs, tmpfs, memory, shmSize, ...rest } = inputs;
    const [program = "", ...entrypoint] = changes.entrypoints ?? rest.entrypoints;
    const container = `${volume}-${containers.length}`;
    containers.push(container);
    await docker(
      ...["run", "--detach", "--name", container, "--init", "--user", user, "--read-only"],
      ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
      ...["--memory", `${memory}m`, "--shm-size", `${shmSize}m`, "--entrypoint", program],
      ...envs.flatMap((variable) => ["--env", variable]),
      ...Object.entries(tmpfs).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
      ...["--volume", `${volume}:/var/lib/postgresql`, "--volume", `${secrets}:/run/secrets:ro`],
      ...[changes.image ?? image, ...entrypoint, ...(changes.command ?? rest.command)],
    );
    return container;
  }

  /** Runs the component's command. */
  async function setRole(container: string): Promise<void> {
    const script = roleCommand.replace("orders-database-id", container);
    const { code, output } = await run("sh", ["-c", script]);
    assert.equal(code, 0, output);
  }

  async function writePassword(password: string): Promise<void> {
    const file = "/secrets/database-password";
    const write = `rm -f ${file} && printf %s "$1" >${file} && chmod 0444 ${file}`;
    await docker(
      ...["run", "--rm", "--volume", `${secrets}:/secrets`, "--entrypoint", "sh"],
      ...[image, "-c", write, "write-password", password],
    );
  }

  /** Waits as Docker's first health check does, but for longer, because a busy machine may need minutes for a first start. */
  async function healthy(container: string): Promise<void> {
    const [, shell, option, script, name, stateFolder, , ...login] = inputs.healthcheck.tests;
    assert.ok(shell && option && script && name && stateFolder);
    // Otherwise the check of a container that was healthy before ends only after a minute.
    const first = `rm -f ${stateFolder}/reported-healthy\n${script}`;
    await docker("exec", container, shell, option, first, name, stateFolder, "300", ...login);
  }

  async function query(container: string, sql: string): Promise<string> {
    const psql = ["psql", "--username=orders", "--quiet", "--tuples-only", "--no-align"];
    return (await docker("exec", container, ...psql, "orders", "--command", sql)).trim();
  }

  async function untilLogged(container: string, text: RegExp): Promise<void> {
    const deadline = Date.now() + 300_000;
    for (;;) {
      const log = await docker("logs", container);
      if (text.test(log)) return;
      assert.ok(Date.now() < deadline, `${container} didn't log ${String(text)}:\n${log}`);
      await sleep(20);
    }
  }
});

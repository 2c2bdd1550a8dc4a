import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type DatabaseServer, externalCheck } from "../../../components/database/externalDatabase";
import { baseImageNames, findStack, readProject } from "../../../packages/cli/project/project";
import { DEFAULT_STACK } from "@store/cli/project/storeCommand";
import { Load } from "../support/load";
import { duringUp } from "../support/runningUps";
import { docker, run } from "../../support/run";
import { TestStore } from "../support/testStore";
import { assertNoChange, changed } from "../store/changes";
import { ExternalServer } from "./server";

const PAGE = resolve(__dirname, "../../../docs/external-database.md");

describe("an external database", () => {
  let server: ExternalServer;
  let store: TestStore;
  let port: number;
  /** Image of PostgreSQL with pg_dump. */
  let image: string;
  let ownImage: string | undefined;
  const password = randomBytes(12).toString("hex");

  before(async () => {
    ({ image, ownImage } = await imageWithDump());
    server = await ExternalServer.start(image);
    port = await server.port();
    await server.query(
      `CREATE ROLE inventory LOGIN PASSWORD '${password}'; CREATE DATABASE inventory OWNER inventory`,
    );
  });
  after(async () => {
    await server.dispose();
    if (ownImage !== undefined) await run("docker", ["rmi", ownImage]);
  });

  const target = (changes: Partial<DatabaseServer> = {}) => ({
    ...{ host: server.host, port, database: "inventory", user: "inventory", password },
    ...{ sslMode: "verify-full" as const, root: server.authority.root.certificate },
    ...(changes as object),
  });

  it("is refused before anything changes, with the cause", async () => {
    await server.query(
      `CREATE ROLE guest LOGIN PASSWORD '${password}'; CREATE ROLE many LOGIN CONNECTION LIMIT 0 PASSWORD '${password}';
       CREATE ROLE reader LOGIN PASSWORD '${password}'; ALTER ROLE reader SET default_transaction_read_only = on;
       CREATE DATABASE latin OWNER inventory ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`,
    );
    const other = server.authority.selfSigned({ names: ["other"] }).certificate;
    const refusals: readonly [string, Partial<DatabaseServer>, RegExp][] = [
      ["wrong password", { password: "wrong" }, /refuses the password of the user inventory/],
      ["no such database", { database: "none" }, /has no database none\. Create it/],
      ["another authority", { root: other }, /isn't of a trusted authority.*store:databaseRoot/],
      [
        "another name",
        { host: "other" },
        /the certificate of the server other:\d+ is for another name/,
      ],
      ["no such name", { host: "none.invalid" }, /finds no address for the name none\.invalid/],
      ["nothing there", { port: 9 }, /:9 can't be reached from the host of the stack/],
      ["no connection left", { user: "many" }, /has no free connection for the user many/],
      ["read-only", { user: "reader" }, /is read-only: /],
      ["no right to create tables", { user: "guest" }, /the user guest may create no tables/],
      ["another encoding", { database: "latin" }, /has the encoding LATIN1/],
    ];
    await Promise.all(
      refusals.map(async ([what, changes, message]) => {
        const { code, output } = await check(target(changes));
        assert.equal(code, 1, `${what}: ${output}`);
        assert.match(output.trim().split("\n").at(-1) ?? "", message, what);
        assert.match(output, /^store:databaseUrl\.orders: /m, what);
        assert.ok(!output.includes(password), what);
      }),
    );
    const old = await check(target(), (script) => script.replace("minimum=17", "minimum=99"));
    assert.match(old.output, /runs PostgreSQL \d+\.\d+, and the store needs 99 or later/);
    assert.deepEqual(await check(target()), { code: 0, output: "" });
    assert.deepEqual(await check(target({ sslMode: "require" })), { code: 0, output: "" });
    // Passes the certificates in the variable that has those of the public authorities, from the gateway's image.
    const { root, ...publicly } = target();
    const roots = (script: string): string => `roots='${root}'\n${script}`;
    assert.deepEqual(await check({ ...publicly }, roots), { code: 0, output: "" });
    assert.match((await check({ ...publicly })).output, /no certificates of public authorities/);
    await server.useTls(false);
    try {
      assert.match(
        (await check(target())).output,
        /has no TLS, which sslmode=verify-full requires/,
      );
    } finally {
      await server.useTls(true);
    }
  });

  /** The tests build on each other, because each `up` takes seconds. */
  describe("of a stack", function () {
    this.bail(true);
    before(async () => {
      store = await TestStore.create({ ...SERVICES, postgresImage: image });
      await store.succeed("up");
    });
    after(() => store.dispose());

    it("with a wrong password fails the up, and the service goes on with its own database", async () => {
      await configureUrl(`postgres://inventory:wrong@${server.host}:${port}/inventory`);
      const before = await store.running();
      const load = Load.on(products(), 2);
      const { code, output } = await store.run("up");
      await store.assertNoneLost(load);
      assert.equal(code, 1, output);
      assert.match(
        output,
        /store:databaseUrl\.inventory: the server \S+ refuses the password of the user inventory/,
      );
      assert.match(output, /config set --secret --path 'databaseUrl\.inventory' VALUE/);
      assert.deepEqual(changed(before, await store.running()), []);
    });

    it("gets the data by the documented commands, which lose none, and the database's container goes", async () => {
      await store.exec(
        ...own("UPDATE products SET name = 'Moved' WHERE sku = (SELECT min(sku) FROM products)"),
      );
      const before = await store.json<unknown>("/api/inventory/products");
      const load = Load.on(products(), 2);
      const output = await runDocumented("Move the data there");
      await assertOnlyCutOff(load);
      assert.ok(!output.includes(password), "the password is shown");
      assert.deepEqual(await store.json("/api/inventory/products"), before);
      assert.match(
        await server.query("SELECT name FROM products WHERE name = 'Moved'", "inventory"),
        /Moved/,
      );
      const used =
        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'inventory' AND ssl";
      assert.notEqual(await server.query(used), "0");
      assert.deepEqual([...(await store.running()).keys()].sort(), [
        "gateway/gateway",
        "inventory/service",
      ]);
      assert.ok((await store.left()).some((line) => /^volume inventory-data/.test(line)));
      assertNoChange(await store.succeed("preview", "--refresh"));
    });

    it("shows the password nowhere, and names what replaces the container in commands", async () => {
      const ids = (await store.containers()).map(({ id }) => id);
      const inspected = await docker("inspect", ...ids);
      const file = store.read(`Pulumi.${store.stack}.yaml`);
      for (const shown of [inspected, store.readAll(".store"), file])
        assert.ok(!shown.includes(password));
      const { code, output } = await store.command(
        ...(["./store", "exec", "inventory-database", "-s", store.stack, "--", "psql"] as const),
      );
      assert.equal(code, 1, output);
      assert.match(output, /inventory has no database container .*store:databaseUrl/);
      assert.doesNotMatch(await store.succeed("ps"), /inventory-database/);
    });

    it("gets another login without a lost request", async () => {
      await server.query(
        `CREATE ROLE inventory_2 LOGIN PASSWORD '${password}2' IN ROLE inventory; ALTER ROLE inventory_2 SET role = inventory`,
      );
      await configureUrl(`postgres://inventory_2:${password}2@${server.host}:${port}/inventory`);
      const before = await store.running();
      const load = Load.on(products());
      await store.succeed("up");
      await store.assertNoneLost(load);
      assert.deepEqual(changed(before, await store.running()), ["inventory/service"]);
      // A wrong one doesn't reach the running instance, which reads the file for each connection.
      await configureUrl(`postgres://inventory_2:wrong@${server.host}:${port}/inventory`);
      assert.equal((await store.run("up")).code, 1);
      const read =
        'process.stdout.write(require("fs").readFileSync(process.env.DATABASE_PASSWORD_FILE))';
      assert.equal(await store.exec("inventory/service", "node", "-e", read), `${password}2`);
    });

    it("gives the data back by the documented commands", async () => {
      await server.query(
        "UPDATE products SET name = 'Moved back' WHERE name = 'Moved'",
        "inventory",
      );
      const before = await store.json<unknown>("/api/inventory/products");
      const load = Load.on(products(), 2);
      await runDocumented("Move the data back");
      await assertOnlyCutOff(load);
      assert.deepEqual(await store.json("/api/inventory/products"), before);
      assert.equal(
        await store.exec(...own("SELECT name FROM products WHERE name = 'Moved back'")),
        "Moved back\n",
      );
      assert.ok((await store.running()).has("inventory/database"));
      // It can be written again.
      await store.exec(...own("UPDATE products SET name = 'Written' WHERE name = 'Moved back'"));
    });
  });

  const products = (): string => `${store.url}/api/inventory/products`;
  const urlOf = (): string => `postgres://inventory:${password}@${server.host}:${port}/inventory`;

  /** Fails the test if other requests failed than the few whose connection the commands ended. */
  async function assertOnlyCutOff(load: Load): Promise<void> {
    const { failures, requests } = await load.stop();
    console.log(`      ${failures.length} of ${requests} requests failed`);
    assert.ok(
      failures.length < 20 && failures.every((one) => one.includes("status 503")),
      failures.join("\n"),
    );
  }

  /** Arguments that run a statement in the service's own database, as the service. */
  function own(sql: string): ["inventory/database", ...string[]] {
    const psql = ["psql", "--username=inventory", "--quiet", "--tuples-only", "--no-align"];
    return ["inventory/database", ...psql, "--dbname=inventory", "--command", sql];
  }

  async function configureUrl(url: string): Promise<void> {
    store.configure({
      ...SERVICES,
      postgresImage: image,
      databaseRoot: `${server.folder}/root.pem`,
    });
    await store.pulumi("config", "set", "--secret", "--path", "databaseUrl.inventory", url);
  }

  /** Runs the check of an external database as the component does. */
  function check(
    of: DatabaseServer & { password: string },
    change: (script: string) => string = (script) => script,
  ): Promise<{ readonly code: number; readonly output: string }> {
    // Without the patience for a server that is starting.
    const script = change(externalCheck("orders", of).replace("+ 20))", "+ 0))"));
    const options = [
      "--rm",
      "--interactive",
      "--read-only",
      "--tmpfs",
      "/tmp",
      "--user",
      "postgres",
    ];
    const names = ["--add-host", `other:${server.host}`];
    const args = ["run", ...options, ...names, "--entrypoint", "sh", image, "-s"];
    const quoted = args.map((word) => `'${word}'`).join(" ");
    return run("sh", ["-c", `printf %s "$SCRIPT" | docker ${quoted}`], undefined, {
      ...process.env,
      SCRIPT: script,
    });
  }

  /** Runs the commands of a section of the documentation, for this stack and this server. */
  async function runDocumented(title: string): Promise<string> {
    const section = readFileSync(PAGE, "utf8")
      .split(/^## /m)
      .find((text) => text.startsWith(title));
    const [, commands] = /```sh\n([^]*?)```/.exec(section ?? "") ?? [];
    assert.ok(commands, `${PAGE} has no commands under ${title}`);
    store.configure({
      ...SERVICES,
      ...{ postgresImage: image, databaseRoot: `${server.folder}/root.pem` },
    });
    if (title === "Move the data back") await configureUrl(urlOf());
    const script = commands
      .replace(/^URL=.*$/m, `URL='${urlOf()}?sslmode=verify-full'`)
      .replaceAll("-s staging", `-s ${store.stack}`)
      .replaceAll("./store up staging", `./store up ${store.stack}`)
      .replaceAll("orders", "inventory");
    const env = { ...store.environment, PATH: `${server.folder}:${process.env["PATH"] ?? ""}` };
    const { code, output } = await duringUp(() => run("sh", ["-ec", script], store.folder, env));
    assert.equal(code, 0, output);
    return output;
  }
});

const SERVICES = { services: ["inventory"] };

/** Returns the stacks' image of PostgreSQL, or one that is based on it if it is a fallback image, which has no pg_dump. */
async function imageWithDump(): Promise<{ readonly image: string; readonly ownImage?: string }> {
  // A fallback image has no digest.
  const image = baseImageNames(
    readProject(),
    findStack(readProject(), DEFAULT_STACK),
  ).postgres.replace(/@.*$/, "");
  const look = ["run", "--rm", "--entrypoint", "sh", image, "-c", "command -v pg_dump"];
  if ((await run("docker", look)).code === 0) return { image };
  const ownImage = `store-test/${image}`;
  await docker(
    "build",
    "--quiet",
    "--tag",
    ownImage,
    "--build-arg",
    `BASE_IMAGE=${image}`,
    __dirname,
  );
  return { image: ownImage, ownImage };
}

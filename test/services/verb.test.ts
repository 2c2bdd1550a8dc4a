import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "@store/kit/testing";
import { isAlive, Verb } from "./support/verb.ts";

const PRODUCTS = "/api/inventory/products";
const kept = {
  ...{ name: "Kept", description: "Still there tomorrow.", onHand: 3 },
  price: { amount: 100, currency: "AUD" },
};

describe("./store services", function () {
  this.timeout(300_000);
  let folder: string;
  let verbs: Verb[];

  const start = async (...args: readonly string[]) => {
    const verb = await Verb.start(folder, ...args);
    verbs.push(verb);
    return verb;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    verbs = [];
  });
  afterEach(async () => {
    await Promise.all(verbs.map((verb) => verb.interrupt()));
    rmSync(folder, { recursive: true, force: true });
  });

  it("serves a service at the door, alone on its data, ends with all that it started, and keeps the data", async () => {
    const first = await (await start()).up();
    const catalogue = await first.fetch(`${PRODUCTS}?limit=3`);
    assert.equal(catalogue.status, 200);
    assert.equal(((await catalogue.json()) as { items: unknown[] }).items.length, 3);
    for (const path of ["/internal/reservations", "/internal", "/metrics", "/api/orders"])
      assert.equal((await first.fetch(path)).status, 404, path);
    const put = { method: "PUT", headers: first.staff(), body: JSON.stringify(kept) };
    assert.equal((await first.fetch(`${PRODUCTS}/KEPT-1`, put)).status, 201);

    const second = await start();
    assert.equal(await second.exited, 1, second.output);
    assert.match(second.output, new RegExp(`are in use by process ${first.pid}\\.`));
    assert.match(second.output, /STORE_STATE_DIR=FOLDER/);
    assert.equal((await first.fetch(`${PRODUCTS}/KEPT-1`)).status, 200, "it isn't disturbed");

    const started = first.processes();
    assert.equal(started.length, 2, "what watches the sources, and the service");
    assert.equal(await first.interrupt(), 0, first.output);
    assert.deepEqual(started.filter(isAlive), []);

    const third = await (await start()).up();
    const product = await third.fetch(`${PRODUCTS}/KEPT-1`);
    assert.equal(product.status, 200);
    assert.equal(((await product.json()) as { name: string }).name, kept.name);
  });

  it("makes the service a database in a PostgreSQL of the user's own, and finds it there again", async () => {
    const theirs = await createDatabase();
    const { DATABASE_PORT = "", DATABASE_PASSWORD_FILE = "" } = theirs.environment;
    const password = readFileSync(DATABASE_PASSWORD_FILE, "utf8").trim();
    const url = (secret: string) => `postgres://postgres:${secret}@127.0.0.1:${DATABASE_PORT}`;

    const refused = await start("--postgres", url("wrong"));
    const first = await (await start("--postgres", url(password))).up();
    assert.equal(await refused.exited, 1, refused.output);
    assert.match(refused.output, /can't be used: password authentication failed.*Check that/s);
    assert.doesNotMatch(refused.output, /:wrong@|\n\s+at /);
    const put = { method: "PUT", headers: first.staff(), body: JSON.stringify(kept) };
    assert.equal((await first.fetch(`${PRODUCTS}/KEPT-1`, put)).status, 201);
    assert.equal(await first.interrupt(), 0, first.output);
    const databases = await theirs.query(
      "SELECT FROM pg_database WHERE datname = 'store_inventory'",
    );
    assert.equal(databases.length, 1);

    const second = await (await start("--postgres", url(password))).up();
    assert.equal((await second.fetch(`${PRODUCTS}/KEPT-1`)).status, 200);
    assert.doesNotMatch(second.output + first.output, new RegExp(password));
  });
});

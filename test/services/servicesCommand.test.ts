import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, until } from "@store/kit/testing";
import { isAlive, ServicesCommand } from "./support/servicesCommand.ts";

const PRODUCTS = "/api/inventory/products";
const keptProduct = {
  ...{ name: "Kept", description: "Survives a restart.", onHand: 3 },
  price: { amount: 100, currency: "AUD" },
};

const order = {
  customer: {
    name: "Ada Lovelace",
    email: "ada@example.org",
    address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
  },
  items: [{ sku: "MUG-STONE", quantity: 1 }],
};

describe("./store services", () => {
  let folder: string;
  let commands: ServicesCommand[];

  const start = async (...args: readonly string[]) => {
    const command = await ServicesCommand.start(folder, ...args);
    commands.push(command);
    return command;
  };
  const startInventory = async (...args: readonly string[]) => start("inventory", ...args);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    commands = [];
  });
  afterEach(async () => {
    await Promise.all(commands.map((command) => command.interrupt()));
    rmSync(folder, { recursive: true, force: true });
  });

  it("serves a service behind the reverse proxy, locks its data, stops all its processes and keeps the data", async () => {
    const first = await (await startInventory()).up();
    const catalogue = await first.fetch(`${PRODUCTS}?limit=3`);
    assert.equal(catalogue.status, 200);
    assert.equal(((await catalogue.json()) as { items: unknown[] }).items.length, 3);
    for (const path of ["/internal/reservations", "/internal", "/metrics", "/api/orders"])
      assert.equal((await first.fetch(path)).status, 404, path);
    const put = { method: "PUT", headers: first.staffHeaders(), body: JSON.stringify(keptProduct) };
    assert.equal((await first.fetch(`${PRODUCTS}/KEPT-1`, put)).status, 201);

    const second = await startInventory();
    assert.equal(await second.exited, 1, second.output);
    assert.match(second.output, new RegExp(`are in use by process ${first.pid}\\.`));
    assert.match(second.output, /STORE_STATE_DIR=FOLDER/);
    assert.equal(
      (await first.fetch(`${PRODUCTS}/KEPT-1`)).status,
      200,
      "the first run is undisturbed",
    );

    const started = first.serviceProcesses();
    assert.equal(started.length, 2, "node --watch and the service");
    assert.equal(await first.interrupt(), 0, first.output);
    assert.deepEqual(started.filter(isAlive), []);

    const third = await (await startInventory()).up();
    const product = await third.fetch(`${PRODUCTS}/KEPT-1`);
    assert.equal(product.status, 200);
    assert.equal(((await product.json()) as { name: string }).name, keptProduct.name);
  });

  it("runs the whole store: confirms an order, cancels one with a declined card, and serves the shop's pages", async () => {
    const store = await (await start()).up();
    const place = async (token: string) => {
      const response = await store.fetch("/api/orders", {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": randomUUID() },
        body: JSON.stringify({ ...order, payment: { token } }),
      });
      assert.equal(response.status, 202, await response.clone().text());
      return response.headers.get("location") ?? assert.fail("the response has no Location header");
    };
    const view = async (path: string) =>
      (await (await store.fetch(path)).json()) as { status: string; reason?: string };
    const reaches = (path: string, status: string) =>
      until(`${path} is ${status}`, async () => (await view(path)).status === status, 60);

    const [good, declined] = await Promise.all([place("tok_ok"), place("tok_declined")]);
    await Promise.all([reaches(good, "confirmed"), reaches(declined, "cancelled")]);
    assert.equal((await view(declined)).reason, "payment_declined");
    const parcels = await store.fetch(`/api/shipping/shipments?order=${good.split("/").at(-1)}`, {
      headers: store.staffHeaders(),
    });
    assert.equal(((await parcels.json()) as { items: unknown[] }).items.length, 1);
    const page = await store.fetch(`/products/${order.items[0]?.sku}`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /Add to basket/);
    assert.equal(await store.interrupt(), 0, store.output);
    assert.doesNotMatch(store.output, /"level":"(error|fatal)"/);
  });

  it("creates the service's database on the PostgreSQL server of --postgres, and uses it again", async () => {
    const server = await createDatabase();
    const { DATABASE_PORT = "", DATABASE_PASSWORD_FILE = "" } = server.environment;
    const password = readFileSync(DATABASE_PASSWORD_FILE, "utf8").trim();
    const url = (secret: string) => `postgres://postgres:${secret}@127.0.0.1:${DATABASE_PORT}`;

    const refused = await startInventory("--postgres", url("wrong"));
    const first = await (await startInventory("--postgres", url(password))).up();
    assert.equal(await refused.exited, 1, refused.output);
    assert.match(refused.output, /password authentication failed.*--postgres/s);
    assert.doesNotMatch(refused.output, /:wrong@|\n\s+at /);
    const put = { method: "PUT", headers: first.staffHeaders(), body: JSON.stringify(keptProduct) };
    assert.equal((await first.fetch(`${PRODUCTS}/KEPT-1`, put)).status, 201);
    assert.equal(await first.interrupt(), 0, first.output);
    const databases = await server.query(
      "SELECT FROM pg_database WHERE datname = 'store_inventory'",
    );
    assert.equal(databases.length, 1);

    const second = await (await startInventory("--postgres", url(password))).up();
    assert.equal((await second.fetch(`${PRODUCTS}/KEPT-1`)).status, 200);
    assert.doesNotMatch(second.output + first.output, new RegExp(password));
  });
});

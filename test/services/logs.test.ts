import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  postgresLog,
  startStore,
  until,
  type TestStoreProcesses,
} from "@store/kit/testing";
import { fillCheckout, openCheckout } from "../../services/storefront/test/support/purchase.ts";
import {
  locationOf,
  ShopClient,
  type Page,
} from "../../services/storefront/test/support/shopClient.ts";

/** A customer whose values occur in no other log line. */
const ZAPHOD = {
  name: "Zaphod Beeblebrox",
  email: "zaphod@betelgeuse.example",
  line1: "42 Magrathea Crescent",
  line2: "Level Trillian",
  city: "Ursa Minor Beta",
  postcode: "QX7731",
};
const CARD = "tok_4242424242424242";
const REASON = "Vogon poetry";

/** The table of each service that refers to an order. */
const tables = {
  orders: "orders",
  inventory: "reservations",
  billing: "payments",
  shipping: "shipments",
} as const;
type DatabaseService = keyof typeof tables;

/** Services of the saga's steps. */
const STEP_SERVICES = ["inventory", "billing", "shipping"] as const;

describe("logs", () => {
  // The level trace includes debug.
  for (const level of ["info", "trace"]) {
    it(`contain no personal data, card or key at level ${level}, whatever goes wrong`, async () => {
      const verbose = { LOG_LEVEL: level };
      const store = await startStore({
        inventory: verbose,
        billing: verbose,
        shipping: verbose,
        orders: { ...verbose, SAGA_BACKOFF_MS: "50", SAGA_BACKOFF_MAX_MS: "100" },
        storefront: verbose,
      });
      try {
        const secrets = [store.staff.token, ...(await driveOrders(store))];
        for (const [name, service] of Object.entries(store.services)) {
          await service.flushedLog();
          const output = service.output.join("\n");
          // The service has logged its requests and its failed statements.
          assert.match(output, /"requestId":"/, name);
          if (name !== "storefront")
            assert.match(output, /"level":"error".*refused_by_the_test/, name);
          for (const secret of [...Object.values(ZAPHOD), CARD, "tok_ok", REASON, ...secrets]) {
            const found = [secret, encodeURIComponent(secret)].find((text) =>
              output.includes(text),
            );
            const line = service.output.find((text) => text.includes(found ?? secret));
            assert.equal(found, undefined, `${name}: ${line}`);
          }
        }
        await assertDatabaseLogsOmit([...Object.values(ZAPHOD), CARD, REASON, ...secrets]);
      } finally {
        await store.stop();
      }
    });
  }

  it("of the databases contain no values of failed statements", async () => {
    const database = await createDatabase();
    const statements = [
      `INSERT INTO nobody VALUES ('${ZAPHOD.name}')`,
      `DO $$ BEGIN EXECUTE 'SELECT ''${ZAPHOD.email}'' FROM refused_by_the_test'; END $$`,
    ];
    for (const statement of statements) await assert.rejects(database.query(statement));
    await assert.rejects(
      database.query("SELECT 1 / length(replace($1, $1, '')) FROM pg_class", [ZAPHOD.line1]),
    );
    const log = await assertDatabaseLogsOmit(Object.values(ZAPHOD));
    assert.match(log, /relation "nobody" does not exist/);
    assert.match(log, /division by zero/);
  });
});

/** Returns the log of all databases of this test run. */
async function assertDatabaseLogsOmit(secrets: readonly string[]): Promise<string> {
  const log = await postgresLog();
  // PostgreSQL has logged failed statements.
  assert.match(log, /ERROR: .*refused_by_the_test/);
  for (const secret of secrets) {
    const line = log.split("\n").find((text) => text.includes(secret));
    assert.equal(line, undefined, `PostgreSQL: ${line}`);
  }
  return log;
}

/** Drives orders through every outcome and error. Returns order IDs and idempotency keys, which logs must not contain. */
async function driveOrders(store: TestStoreProcesses): Promise<string[]> {
  const customer = new ShopClient(store.gateway.url);
  const clerk = new ShopClient(store.gateway.url);
  await clerk.post("/office/login", { token: `${store.staff.token}x` });
  await clerk.post("/office/login", { token: store.staff.token });

  const checkout = async (more: Readonly<Record<string, string>>): Promise<Page> => {
    const form = fillCheckout(await openCheckout(customer, { "MUG-STONE": 1 }), {
      ...ZAPHOD,
      ...more,
    });
    keys.push(form["key"] ?? assert.fail("the form has no key"));
    return customer.post("/checkout", form);
  };
  const keys: string[] = [];

  await checkout({ email: `${ZAPHOD.email}@`, country: "XX" });
  const declined = locationOf(await checkout({ token: CARD }));
  await pageShows(customer, declined, /Your card wasn’t accepted/);

  // First the order itself can't be stored; then each step of its saga fails once.
  await failWrites(store, "orders");
  assert.ok((await checkout({ token: "tok_ok" })).status >= 500);
  await allowWrites(store, "orders");
  for (const service of STEP_SERVICES) await failWrites(store, service);
  const ordered = locationOf(await checkout({ token: "tok_ok" }));
  for (const service of STEP_SERVICES) {
    await store.services[service].waitForLog("its step fails", ({ level }) => level === "error");
    await allowWrites(store, service);
  }
  await pageShows(customer, ordered, /your order is confirmed/);

  store.gateway.targets.set("orders", undefined);
  assert.equal((await checkout({ token: "tok_ok" })).status, 503);
  store.gateway.targets.set("orders", store.services.orders.url);

  await clerk.get("/office/orders");
  const office = `/office${ordered}`;
  const page = await clerk.get(office);
  const refunds = `${office}/refunds`;
  await clerk.submit(refunds, { ...page.form(refunds), amount: "1.00", reason: REASON });
  const dispatch = /action="(\/office\/shipments\/[\w-]+\/dispatch)"/.exec(page.text)?.[1];
  await clerk.submit(dispatch ?? assert.fail("there is no parcel"), { from: office });
  await pageShows(customer, ordered, /Your parcel is on its way/);
  await clerk.post(`${office}/cancel`, {});

  const key = `zaphod-${randomUUID()}`;
  for (const service of Object.values(store.services)) await sendInvalidRequests(service.url, key);
  const ids = [declined, ordered].map((path) => path.slice("/orders/".length));
  return [...ids, ...keys, key];
}

/** Sends invalid requests with personal data in every part. */
async function sendInvalidRequests(url: string, key: string): Promise<void> {
  const email = encodeURIComponent(ZAPHOD.email);
  const json = JSON.stringify({ customer: ZAPHOD, payment: { token: CARD } });
  const bodies: [string, string | Buffer][] = [
    ["application/json", json],
    ["application/json", json.slice(0, -1)],
    ["application/json", Buffer.concat([Buffer.from(json), Buffer.of(0xff)])],
    ["application/json", JSON.stringify(ZAPHOD.name.repeat(100_000))],
    ["text/plain", json],
  ];
  for (const path of ["/api/orders", `/api/orders/${email}?email=${email}`, `/${email}`, "/%ff"]) {
    for (const [type, body] of bodies) {
      const headers = {
        "content-type": type,
        "idempotency-key": key,
        authorization: `Bearer ${CARD}`,
        cookie: `basket=${email}`,
        "x-request-id": ZAPHOD.email,
      };
      await (await fetch(url + path, { method: "POST", headers, body })).text();
    }
    await (await fetch(url + path, { headers: { referer: `http://x/${email}` } })).text();
  }
}

async function pageShows(client: ShopClient, path: string, expected: RegExp): Promise<void> {
  await until(`${path} shows ${expected.source}`, async () =>
    expected.test((await client.get(path)).visibleText),
  );
}

/** Makes every write to the service's table fail. PostgreSQL's error message contains the whole row. */
async function failWrites(
  { databases }: TestStoreProcesses,
  service: DatabaseService,
): Promise<void> {
  await databases[service].query(
    `ALTER TABLE ${tables[service]} ADD CONSTRAINT refused_by_the_test CHECK (false) NOT VALID`,
  );
}

async function allowWrites(
  { databases }: TestStoreProcesses,
  service: DatabaseService,
): Promise<void> {
  await databases[service].query(
    `ALTER TABLE ${tables[service]} DROP CONSTRAINT refused_by_the_test`,
  );
}

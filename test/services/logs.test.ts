import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  postgresLog,
  startStore,
  until,
  type TestStoreProcesses,
} from "@store/kit/testing";
import { filledIn, toCheckout } from "../../services/storefront/test/support/buying.ts";
import { locationOf, Visitor, type Page } from "../../services/storefront/test/support/visitor.ts";

/** Somebody whom no other line of a log can be about. */
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

/** Where each service keeps what an order is about. */
const tables = {
  orders: "orders",
  inventory: "reservations",
  billing: "payments",
  shipping: "shipments",
} as const;
type Keeper = keyof typeof tables;

describe("the logs of all services", function () {
  this.timeout(120_000);

  // trace has all that debug has.
  for (const level of ["info", "trace"]) {
    it(`tell nothing of people, cards or keys at the level ${level}, whatever goes wrong`, async () => {
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
          // Otherwise there has been nothing to be told of.
          assert.match(output, /"requestId":"/, name);
          if (name !== "storefront")
            assert.match(output, /"level":"error".*refused_by_the_test/, name);
          for (const secret of [...Object.values(ZAPHOD), CARD, "tok_ok", REASON, ...secrets]) {
            const found = [secret, encodeURIComponent(secret)].find((one) => output.includes(one));
            const line = service.output.find((one) => one.includes(found ?? secret));
            assert.equal(found, undefined, `${name}: ${line}`);
          }
        }
        await databasesTellNothingOf([...Object.values(ZAPHOD), CARD, REASON, ...secrets]);
      } finally {
        await store.stop();
      }
    });
  }

  it("and those of databases tell nothing of what somebody wrote into a statement", async () => {
    const database = await createDatabase();
    const statements = [
      `INSERT INTO nobody VALUES ('${ZAPHOD.name}')`,
      `DO $$ BEGIN EXECUTE 'SELECT ''${ZAPHOD.email}'' FROM refused_by_the_test'; END $$`,
    ];
    for (const statement of statements) await assert.rejects(database.query(statement));
    await assert.rejects(
      database.query("SELECT 1 / length(replace($1, $1, '')) FROM pg_class", [ZAPHOD.line1]),
    );
    const log = await databasesTellNothingOf(Object.values(ZAPHOD));
    assert.match(log, /relation "nobody" does not exist/);
    assert.match(log, /division by zero/);
  });
});

/** Gives what they have logged, all of them and in all tests. */
async function databasesTellNothingOf(secrets: readonly string[]): Promise<string> {
  const log = await postgresLog();
  // Otherwise there has been nothing to be told of.
  assert.match(log, /ERROR: .*refused_by_the_test/);
  for (const secret of secrets) {
    const line = log.split("\n").find((one) => one.includes(secret));
    assert.equal(line, undefined, `PostgreSQL: ${line}`);
  }
  return log;
}

/** Orders in every way in which they can go. Gives the keys to them, and whatever else is nobody's business. */
async function driveOrders(store: TestStoreProcesses): Promise<string[]> {
  const customer = new Visitor(store.gateway.url);
  const clerk = new Visitor(store.gateway.url);
  await clerk.post("/office/login", { token: `${store.staff.token}x` });
  await clerk.post("/office/login", { token: store.staff.token });

  const checkout = async (more: Readonly<Record<string, string>>): Promise<Page> => {
    const form = filledIn(await toCheckout(customer, { "MUG-STONE": 1 }), { ...ZAPHOD, ...more });
    keys.push(form["key"] ?? assert.fail("the form has no key"));
    return customer.post("/checkout", form);
  };
  const keys: string[] = [];

  await checkout({ email: `${ZAPHOD.email}@`, country: "XX" });
  const declined = locationOf(await checkout({ token: CARD }));
  await says(customer, declined, /This card can’t be used/);

  // The order can't be kept, and later on each of its steps once can't be done.
  await refuse(store, "orders");
  assert.ok((await checkout({ token: "tok_ok" })).status >= 500);
  await mend(store, "orders");
  for (const keeper of ["inventory", "billing", "shipping"] as const) await refuse(store, keeper);
  const ordered = locationOf(await checkout({ token: "tok_ok" }));
  for (const keeper of ["inventory", "billing", "shipping"] as const) {
    await store.services[keeper].waitForLog("its step fails", ({ level }) => level === "error");
    await mend(store, keeper);
  }
  await says(customer, ordered, /Thank you, it’s yours/);

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
  await says(customer, ordered, /Your parcel is on its way/);
  await clerk.post(`${office}/cancel`, {});

  const key = `zaphod-${randomUUID()}`;
  for (const service of Object.values(store.services)) await misuse(service.url, key);
  const ids = [declined, ordered].map((path) => path.slice("/orders/".length));
  return [...ids, ...keys, key];
}

/** Requests that are no good, with people in all of their parts. */
async function misuse(url: string, key: string): Promise<void> {
  const whose = encodeURIComponent(ZAPHOD.email);
  const json = JSON.stringify({ customer: ZAPHOD, payment: { token: CARD } });
  const bodies: [string, string | Buffer][] = [
    ["application/json", json],
    ["application/json", json.slice(0, -1)],
    ["application/json", Buffer.concat([Buffer.from(json), Buffer.of(0xff)])],
    ["application/json", JSON.stringify(ZAPHOD.name.repeat(100_000))],
    ["text/plain", json],
  ];
  for (const path of ["/api/orders", `/api/orders/${whose}?email=${whose}`, `/${whose}`, "/%ff"]) {
    for (const [type, body] of bodies) {
      const headers = {
        "content-type": type,
        "idempotency-key": key,
        authorization: `Bearer ${CARD}`,
        cookie: `basket=${whose}`,
        "x-request-id": ZAPHOD.email,
      };
      await (await fetch(url + path, { method: "POST", headers, body })).text();
    }
    await (await fetch(url + path, { headers: { referer: `http://x/${whose}` } })).text();
  }
}

async function says(visitor: Visitor, path: string, words: RegExp): Promise<void> {
  await until(`${path} says ${words.source}`, async () =>
    words.test((await visitor.get(path)).words),
  );
}

/** PostgreSQL's error has the whole row in it, people and all. */
async function refuse({ databases }: TestStoreProcesses, keeper: Keeper): Promise<void> {
  await databases[keeper].query(
    `ALTER TABLE ${tables[keeper]} ADD CONSTRAINT refused_by_the_test CHECK (false) NOT VALID`,
  );
}

async function mend({ databases }: TestStoreProcesses, keeper: Keeper): Promise<void> {
  await databases[keeper].query(
    `ALTER TABLE ${tables[keeper]} DROP CONSTRAINT refused_by_the_test`,
  );
}

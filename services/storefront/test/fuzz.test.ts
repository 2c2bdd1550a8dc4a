import assert from "node:assert/strict";
import { request } from "node:http";
import { testSeed, until, type TestStoreProcesses } from "@store/kit/testing";
import fc from "fast-check";
import { buy, fillCheckout, openCheckout } from "./support/purchase.ts";
import { sharedStore } from "./support/testStore.ts";
import { ShopClient } from "./support/shopClient.ts";

/** Number of requests per page or form; each of its fields adds the same number. */
const REQUESTS = 20;

/** A page, or the target of a form. */
interface Target {
  readonly method: "GET" | "POST";
  /** Contains `:name` as the placeholder of a value. */
  readonly path: string;
  /** Names of the query's parameters or the form's fields. */
  readonly values: readonly string[];
}

/** A raw request. */
interface RawRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

describe("the storefront's pages and forms with random input", () => {
  let store: TestStoreProcesses;
  let seed: number;
  /** Valid values by field name. */
  const known: Record<string, readonly string[]> = {};
  let cookies: Readonly<Record<"customer" | "clerk", string>>;

  let initialSkus: readonly string[];
  const skus = () => store.databases.inventory.query<{ sku: string }>("SELECT sku FROM products");

  before(async () => {
    store = await sharedStore();
    seed = testSeed("pages and forms");
    const customer = new ShopClient(store.gateway.url);
    const clerk = customer.clone();
    initialSkus = (await skus()).map(({ sku }) => sku);
    await clerk.post("/office/login", { token: store.staff.token });
    // A product of this test only, because random requests may change it.
    await clerk.submit("/office/new-product", {
      ...{ sku: "SIEVE-ASH", name: "Sieve", description: "For flour." },
      ...{ price: "19.00", currency: "AUD", onHand: "500" },
    });
    const path = await buy(customer, { "SIEVE-ASH": 1 });
    const office = `/office${path}`;
    await until("the order is confirmed", async () =>
      (await customer.get(path)).visibleText.includes("your order is confirmed"),
    );
    await until("its parcel exists", async () =>
      (await clerk.get(office)).text.includes("/dispatch"),
    );
    const page = await clerk.get(office);
    const refund = page.form(`${office}/refunds`);
    const stock = (await clerk.get("/office/stock/SIEVE-ASH")).form("/office/stock/SIEVE-ASH");
    const filled = fillCheckout(await openCheckout(customer, { "SIEVE-ASH": 1 }));
    const [, shipment = ""] = /\/office\/shipments\/([\w-]+)\//.exec(page.text) ?? [];
    for (const form of [filled, refund, stock]) {
      for (const [name, value] of Object.entries(form))
        known[name] = [...(known[name] ?? []), value];
    }
    Object.assign(known, {
      sku: ["SIEVE-ASH", "NOPE"],
      id: [path.slice("/orders/".length), shipment],
      from: ["/office/parcels", office],
      adjust: ["SIEVE-ASH*1", "SIEVE-ASH*0"],
      attempt: ["{}", "null", "[]", JSON.stringify({ total: { amount: 1, currency: "AUD" } })],
      next: ["/office/stock"],
      name: ["Ada", "inventory", "orders"],
      file: [...page.text.matchAll(/\/assets\/([\w.-]+)/g)].map(([, file = ""]) => file),
      token: ["tok_ok", store.staff.token],
      status: ["pending", "confirmed"],
      done: ["refunded"],
      after: [path.slice("/orders/".length), "MUG-STONE"],
      ...{
        added: ["SIEVE-ASH"],
        saved: ["SIEVE-ASH"],
        full: ["true"],
        quantity: ["1"],
        q: ["mug"],
      },
    });
    const header = (client: ShopClient) =>
      [...client.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    cookies = { customer: header(customer), clerk: header(clerk) };
  });

  after(() =>
    store.databases.inventory.query("DELETE FROM products WHERE sku <> ALL ($1)", [initialSkus]),
  );

  const get = (path: string, ...values: string[]): Target => ({ method: "GET", path, values });
  const post = (path: string, ...values: string[]): Target => ({ method: "POST", path, values });

  const checkout = [
    ...["key", "basket", "total", "name", "email", "line1", "line2", "city", "postcode", "country"],
    "token",
  ];
  const pages: Readonly<Record<"customer" | "clerk", readonly Target[]>> = {
    customer: [
      get("/", "q", "after"),
      get("/products/:sku"),
      get("/basket", "added", "full"),
      get("/checkout"),
      get("/orders"),
      get("/orders/:id"),
      get("/docs"),
      get("/docs/:name"),
      get("/assets/:file"),
      post("/basket/add", "sku", "quantity"),
      post("/basket/change", "sku", "quantity"),
      post("/orders/:id/again"),
      post("/checkout", ...checkout),
      post("/checkout", ...checkout, "attempt"),
      post("/checkout", ...checkout, "attempt", "adjust"),
      post("/checkout", ...checkout, "try-again"),
    ],
    clerk: [
      get("/office"),
      get("/office/login"),
      get("/office/orders", "status", "after"),
      get("/office/orders/:id", "done"),
      get("/office/parcels", "status", "after"),
      get("/office/stock", "q", "after", "saved"),
      get("/office/stock/:sku"),
      get("/office/new-product"),
      post("/office/login", "token", "next"),
      post("/office/orders/:id/retry"),
      post("/office/orders/:id/cancel"),
      post("/office/orders/:id/resolve"),
      post("/office/orders/:id/refunds", "payment", "key", "currency", "amount", "reason"),
      post("/office/shipments/:id/dispatch", "from"),
      post("/office/shipments/:id/deliver", "from"),
      post("/office/stock/:sku", ...["etag", "name", "description", "price", "currency", "onHand"]),
      post("/office/new-product", ...["sku", "name", "description", "price", "currency", "onHand"]),
      post("/office/logout"),
    ],
  };

  for (const who of ["customer", "clerk"] as const) {
    it(`answer a ${who} without server errors`, async () => {
      for (const target of pages[who]) {
        const counts = new Map<number, number>();
        const succeeded = () =>
          [...counts.keys()].some((status) => status < 400 || status === 409 || status === 412);
        const property = fc.asyncProperty(rawRequest(target, known), async (raw) => {
          const status = await send(store.gateway.url, target.method, {
            ...raw,
            headers: { cookie: cookies[who], ...raw.headers },
          });
          counts.set(status, (counts.get(status) ?? 0) + 1);
          assert.ok(
            status < 500,
            `${target.method} ${raw.path} ${JSON.stringify(raw.headers)} ${raw.body?.toString("latin1").slice(0, 1_000)}: ${status}`,
          );
        });
        const numRuns = REQUESTS * (1 + target.values.length);
        // With few requests, chance may have made none valid.
        for (let round = 0; round === 0 || (round < 5 && !succeeded()); round++)
          await fc.assert(property, { seed: seed + round, numRuns });
        const list = [...counts].sort(([a], [b]) => a - b);
        console.log(
          `      ${target.method} ${target.path}: ${list.map(([status, n]) => `${n} × ${status}`).join(", ")}`,
        );
        // At least one request must succeed; otherwise the test no longer covers the page.
        assert.ok(succeeded(), `no request for ${target.path} succeeded`);
      }
      const { log } = store.services.storefront;
      assert.deepEqual(
        log.filter(({ level }) => level === "error" || level === "fatal"),
        [],
      );
    });
  }
});

/** Invalid percent-encoding, and encodings of characters that are never valid. */
const badEncoding = fc.constantFrom(
  ...["%", "%zz", "%0", "%00", "%0a", "%0D%0Ax:%20y", "%ED%A0%80", "%ff", "%C3", "%u0041"],
  ...["%2e%2e", "..%2f..", "%5c", "%25252e", "&", "=", "+", ";"],
);

const junk = fc.oneof(
  fc.constantFrom(
    ...["", " ", "\0", "a\nb", "日", "\u{1f3fa}", "\u202e", "\ufeff", "..", "-1", "1e9", "0"],
    ...["__proto__", "constructor", "<script>", "x".repeat(300), "x".repeat(9_000)],
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);

type Known = Readonly<Record<string, readonly string[]>>;

/** Percent-encoded valid values of a field; random ones if none are known. */
function validValue(name: string, known: Known): fc.Arbitrary<string> {
  const values = known[name] ?? [];
  return values.length > 0 ? fc.constantFrom(...values).map(encodeURIComponent) : randomValue;
}

const randomValue = fc.oneof(
  { weight: 3, arbitrary: junk.map((text) => encodeURIComponent(Buffer.from(text).toString())) },
  { weight: 1, arbitrary: badEncoding },
);

/** Requests for a page or form, with all fields, without some, with duplicates and with unknown ones. */
function rawRequest({ method, path, values }: Target, known: Known): fc.Arbitrary<RawRequest> {
  const segments = path
    .split("/")
    .map((part) =>
      part.startsWith(":")
        ? fc.oneof(
            { weight: 5, arbitrary: validValue(part.slice(1), known) },
            { weight: 1, arbitrary: randomValue },
          )
        : fc.constant(part),
    );
  const allFields = fc.record(
    Object.fromEntries(values.map((name) => [name, validValue(name, known)])),
  );
  const oneName = values.length > 0 ? fc.constantFrom(...values) : randomValue;
  const write = (fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  const pairs = fc.oneof(
    { weight: 2, arbitrary: allFields.map(write) },
    // A single random value among valid ones gets past the first checks.
    {
      weight: 6,
      arbitrary: fc
        .tuple(allFields, oneName, randomValue)
        .map(([fields, name, value]) => write({ ...fields, [name]: value })),
    },
    { weight: 1, arbitrary: allFields.chain((fields) => fc.subarray(write(fields))) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(allFields, oneName, randomValue)
        .map(([fields, name, value]) => [...write(fields), `${name}=${value}`]),
    },
    { weight: 1, arbitrary: fc.array(randomValue, { maxLength: 5 }) },
  );
  const type = fc.oneof(
    { weight: 12, arbitrary: fc.constant("application/x-www-form-urlencoded") },
    fc.constantFrom("application/json", "text/plain", "multipart/form-data", ""),
  );
  const randomBytes = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  return fc
    .record({
      path: fc.tuple(...segments).map((parts) => parts.join("/") || "/"),
      text: pairs.map((all) => all.join("&")),
      type,
      body: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, randomBytes),
      accept: fc.constantFrom("text/html", "text/html", "*/*"),
    })
    .map(({ path, text, type, body, accept }) =>
      method === "GET"
        ? { path: text === "" ? path : `${path}?${text}`, headers: { accept }, body: undefined }
        : {
            path,
            headers: { accept, ...(type === "" ? {} : { "content-type": type }) },
            body: body ?? Buffer.from(text),
          },
    );
}

/** Sends a request with the origin of our own pages, as a browser would; `fetch` would reject invalid paths. */
function send(url: string, method: string, { path, headers, body }: RawRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        path,
        headers: { origin: url, ...headers, "content-length": body?.length ?? 0 },
      },
      (answer) => {
        answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

import assert from "node:assert/strict";
import { request } from "node:http";
import { testSeed, until, type TestStoreProcesses } from "@store/kit/testing";
import fc from "fast-check";
import { buy, filledIn, toCheckout } from "./support/buying.ts";
import { shop } from "./support/shop.ts";
import { Visitor } from "./support/visitor.ts";

/** Requests for each page and form, and as many again for each of its fields. */
const REQUESTS = 40;

/** A page, or what a form is sent to. */
interface Target {
  readonly method: "GET" | "POST";
  /** With `:name` where a value is to stand. */
  readonly path: string;
  /** What it takes: of the query, or of the form. */
  readonly values: readonly string[];
}

/** Bytes as they are sent. */
interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

describe("the storefront's pages and forms, whatever they are sent", function () {
  this.timeout(300_000);
  let store: TestStoreProcesses;
  let seed: number;
  /** Values that mean something, by the field that takes them. */
  const known: Record<string, readonly string[]> = {};
  let cookies: Readonly<Record<"customer" | "clerk", string>>;

  let first: readonly string[];
  const skus = () => store.databases.inventory.query<{ sku: string }>("SELECT sku FROM products");

  before(async () => {
    store = await shop();
    seed = testSeed("pages and forms");
    const customer = new Visitor(store.gateway.url);
    const clerk = customer.clone();
    first = (await skus()).map(({ sku }) => sku);
    await clerk.post("/office/login", { token: store.staff.token });
    // Of its own, since nobody knows what becomes of it.
    await clerk.submit("/office/new-product", {
      ...{ sku: "SIEVE-ASH", name: "Sieve", description: "For flour." },
      ...{ price: "19.00", currency: "AUD", onHand: "500" },
    });
    const path = await buy(customer, { "SIEVE-ASH": 1 });
    const office = `/office${path}`;
    await until("the order is confirmed", async () =>
      (await customer.get(path)).words.includes("Thank you, it’s yours"),
    );
    await until("its parcel is there", async () =>
      (await clerk.get(office)).text.includes("/dispatch"),
    );
    const page = await clerk.get(office);
    const refund = page.form(`${office}/refunds`);
    const stock = (await clerk.get("/office/stock/SIEVE-ASH")).form("/office/stock/SIEVE-ASH");
    const filled = filledIn(await toCheckout(customer, { "SIEVE-ASH": 1 }));
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
    const header = (visitor: Visitor) =>
      [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    cookies = { customer: header(customer), clerk: header(clerk) };
  });

  after(() =>
    store.databases.inventory.query("DELETE FROM products WHERE sku <> ALL ($1)", [first]),
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
      post("/checkout", ...checkout, "look-again"),
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
      post("/office/orders/:id/refunds", "payment", "key", "currency", "amount", "reason"),
      post("/office/shipments/:id/dispatch", "from"),
      post("/office/shipments/:id/deliver", "from"),
      post("/office/stock/:sku", ...["etag", "name", "description", "price", "currency", "onHand"]),
      post("/office/new-product", ...["sku", "name", "description", "price", "currency", "onHand"]),
      post("/office/logout"),
    ],
  };

  for (const who of ["customer", "clerk"] as const) {
    it(`answer ${who === "clerk" ? "their own people" : "anybody"} without failing`, async () => {
      for (const target of pages[who]) {
        const counts = new Map<number, number>();
        await fc.assert(
          fc.asyncProperty(sentTo(target, known), async (sent) => {
            const status = await send(store.gateway.url, target.method, {
              ...sent,
              headers: { cookie: cookies[who], ...sent.headers },
            });
            counts.set(status, (counts.get(status) ?? 0) + 1);
            assert.ok(
              status < 500,
              `${target.method} ${sent.path} ${JSON.stringify(sent.headers)} ${sent.body?.toString("latin1").slice(0, 1_000)}: ${status}`,
            );
          }),
          { seed, numRuns: REQUESTS * (1 + target.values.length) },
        );
        const list = [...counts].sort(([a], [b]) => a - b);
        console.log(
          `      ${target.method} ${target.path}: ${list.map(([status, n]) => `${n} × ${status}`).join(", ")}`,
        );
        // Otherwise the requests have become too poor to come to anything.
        assert.ok(
          list.some(([status]) => status < 400 || status === 409 || status === 412),
          `${target.path} never went well`,
        );
      }
      const { log } = store.services.storefront;
      assert.deepEqual(
        log.filter(({ level }) => level === "error" || level === "fatal"),
        [],
      );
    });
  }
});

/** What isn't percent-encoded as it should be, or stands for what can't be meant. */
const broken = fc.constantFrom(
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

/** A value as it is sent that means something, where one is known. */
function meant(name: string, known: Known): fc.Arbitrary<string> {
  const values = known[name] ?? [];
  return values.length > 0 ? fc.constantFrom(...values).map(encodeURIComponent) : anything;
}

const anything = fc.oneof(
  { weight: 3, arbitrary: junk.map((text) => encodeURIComponent(Buffer.from(text).toString())) },
  { weight: 1, arbitrary: broken },
);

/** Requests for a page or with a form: with all of its fields, without some, with some twice, and with others. */
function sentTo({ method, path, values }: Target, known: Known): fc.Arbitrary<Sent> {
  const segments = path
    .split("/")
    .map((part) =>
      part.startsWith(":")
        ? fc.oneof(
            { weight: 5, arbitrary: meant(part.slice(1), known) },
            { weight: 1, arbitrary: anything },
          )
        : fc.constant(part),
    );
  const whole = fc.record(Object.fromEntries(values.map((name) => [name, meant(name, known)])));
  const one = values.length > 0 ? fc.constantFrom(...values) : anything;
  const write = (fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  const pairs = fc.oneof(
    { weight: 2, arbitrary: whole.map(write) },
    // Where the others mean something, one that doesn't gets far.
    {
      weight: 6,
      arbitrary: fc
        .tuple(whole, one, anything)
        .map(([fields, name, value]) => write({ ...fields, [name]: value })),
    },
    { weight: 1, arbitrary: whole.chain((fields) => fc.subarray(write(fields))) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(whole, one, anything)
        .map(([fields, name, value]) => [...write(fields), `${name}=${value}`]),
    },
    { weight: 1, arbitrary: fc.array(anything, { maxLength: 5 }) },
  );
  const type = fc.oneof(
    { weight: 12, arbitrary: fc.constant("application/x-www-form-urlencoded") },
    fc.constantFrom("application/json", "text/plain", "multipart/form-data", ""),
  );
  const rubbish = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  return fc
    .record({
      path: fc.tuple(...segments).map((parts) => parts.join("/") || "/"),
      text: pairs.map((all) => all.join("&")),
      type,
      rubbish: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, rubbish),
      accept: fc.constantFrom("text/html", "text/html", "*/*"),
    })
    .map(({ path, text, type, rubbish, accept }) =>
      method === "GET"
        ? { path: text === "" ? path : `${path}?${text}`, headers: { accept }, body: undefined }
        : {
            path,
            headers: { accept, ...(type === "" ? {} : { "content-type": type }) },
            body: rubbish ?? Buffer.from(text),
          },
    );
}

/** As a browser on our own page would, but for what it would never send. */
function send(url: string, method: string, { path, headers, body }: Sent): Promise<number> {
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

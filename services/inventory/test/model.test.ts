import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { problemType, testSeed, until } from "@store/kit/testing";
import { Inventory, type Answer, type Line } from "./support/inventory.ts";

const SKUS = 3;
const IDS = 4;
const RUNS = 15;
const COMMANDS = 40;

/** Expected state of inventory. Products and reservations are identified by numbers. */
interface Model {
  readonly products: { onHand: number; held: number }[];
  readonly reservations: Map<number, { status: Status; lines: readonly ModelLine[] }>;
}
type Status = "held" | "committed" | "cancelled" | "expired";
interface ModelLine {
  readonly product: number;
  readonly quantity: number;
}

/** The service under test, with the SKUs and ids of the model's numbers in this run. */
interface Real {
  readonly inventory: Inventory;
  readonly skus: readonly string[];
  readonly ids: readonly string[];
}

/** Expected response: 200, or the type of the problem. */
type Expected = "200" | "404" | "out-of-stock" | "stock-held" | `reservation-${string}`;

/** A call of the service, with its effect on the model. */
interface Call {
  readonly name: string;
  expect(model: Model): Expected;
  send(real: Real): Promise<Answer>;
}

const done = new Map<string, number>();

class CallCommand implements fc.AsyncCommand<Model, Real> {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const expected = this.#call.expect(model);
    const answer = await this.#call.send(real);
    assert.equal(resultOf(answer), expected);
    await assertStock(model, real);
    const what = `${this.#call.name.replace(/\(.*/, "")} → ${expected}`;
    done.set(what, (done.get(what) ?? 0) + 1);
  }

  toString(): string {
    return this.#call.name;
  }
}

/** Makes a hold overdue and waits until the sweep has expired it. */
class Expire implements fc.AsyncCommand<Model, Real> {
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  check({ reservations }: Readonly<Model>): boolean {
    return reservations.get(this.#id)?.status === "held";
  }

  async run(model: Model, real: Real): Promise<void> {
    const reservation = model.reservations.get(this.#id) ?? assert.fail("no reservation");
    reservation.status = "expired";
    move(model, reservation.lines, (product, quantity) => (product.held -= quantity));
    const id = real.ids[this.#id];
    const { database } = real.inventory.replicas;
    await database.query("UPDATE reservations SET expires_at = now() WHERE id = $1", [id]);
    await until("it is swept", async () => {
      const [row] = await database.query<{ status: string }>(
        "SELECT status FROM reservations WHERE id = $1",
        [id],
      );
      return row?.status === "expired";
    });
    await assertStock(model, real);
    done.set("expire", (done.get("expire") ?? 0) + 1);
  }

  toString(): string {
    return `expire(${this.#id})`;
  }
}

const put = (product: number, onHand: number): Call => ({
  name: `put(${product}, ${onHand})`,
  expect({ products }) {
    const found = products[product] ?? assert.fail("no product");
    if (onHand < found.held) return "stock-held";
    found.onHand = onHand;
    return "200";
  },
  send: ({ inventory, skus }) => inventory.put(skus[product] ?? "", onHand),
});

const hold = (id: number, lines: readonly ModelLine[]): Call => ({
  name: `hold(${id}, ${JSON.stringify(lines)})`,
  expect(model) {
    const found = model.reservations.get(id);
    if (found?.status === "cancelled") return "reservation-cancelled";
    if (found !== undefined && !isSame(found.lines, lines)) return "reservation-differs";
    if (found?.status === "held" || found?.status === "committed") return "200";
    if (!take(model, lines)) return "out-of-stock";
    model.reservations.set(id, { status: "held", lines });
    return "200";
  },
  send: ({ inventory, skus, ids }) => inventory.hold(ids[id] ?? "", toLines(skus, lines)),
});

const commit = (id: number): Call => ({
  name: `commit(${id})`,
  expect(model) {
    const found = model.reservations.get(id);
    if (found === undefined) return "404";
    if (found.status === "cancelled") return "reservation-cancelled";
    if (found.status === "committed") return "200";
    if (found.status === "expired" && !take(model, found.lines)) return "out-of-stock";
    found.status = "committed";
    move(model, found.lines, (product, quantity) => {
      product.held -= quantity;
      product.onHand -= quantity;
    });
    return "200";
  },
  send: ({ inventory, ids }) => inventory.commit(ids[id] ?? ""),
});

const cancel = (id: number): Call => ({
  name: `cancel(${id})`,
  expect(model) {
    const found = model.reservations.get(id);
    if (found?.status === "committed") return "reservation-committed";
    if (found?.status === "held") {
      move(model, found.lines, (product, quantity) => (product.held -= quantity));
    }
    model.reservations.set(id, { status: "cancelled", lines: found?.lines ?? [] });
    return "200";
  },
  send: ({ inventory, ids }) => inventory.cancel(ids[id] ?? ""),
});

const anyProduct = fc.nat(SKUS - 1);
const anyId = fc.nat(IDS - 1);
const anyLines = fc.uniqueArray(
  fc.record({ product: anyProduct, quantity: fc.integer({ min: 1, max: 5 }) }),
  { minLength: 1, maxLength: SKUS, selector: ({ product }) => product },
);
const calls = {
  put: fc.tuple(anyProduct, fc.nat(12)).map(([product, onHand]) => put(product, onHand)),
  hold: fc.tuple(anyId, anyLines).map(([id, lines]) => hold(id, lines)),
  // Has fixed lines per id, because random calls would almost never repeat the same lines.
  holdOne: anyId.map((id) => hold(id, [{ product: id % SKUS, quantity: 2 }])),
  commit: anyId.map(commit),
  cancel: anyId.map(cancel),
};

/** A run that produces every expected response of the model, some of which random runs rarely reach. */
const scripted: readonly (Call | Expire)[] = [
  ...[put(0, 6), put(1, 6), put(2, 6)],
  ...[commit(3), hold(3, [{ product: 0, quantity: 1 }]), hold(3, [{ product: 0, quantity: 2 }])],
  ...[commit(3), commit(3), cancel(3)],
  ...[hold(0, [{ product: 1, quantity: 5 }]), hold(1, [{ product: 1, quantity: 2 }]), put(1, 4)],
  ...[new Expire(0), hold(1, [{ product: 1, quantity: 2 }]), commit(0)],
  ...[cancel(2), hold(2, [{ product: 2, quantity: 1 }]), commit(2)],
];
const answersOfTheModel = [
  ...["put → 200", "put → stock-held", "hold → 200", "hold → out-of-stock"],
  ...["hold → reservation-differs", "hold → reservation-cancelled", "commit → 200", "commit → 404"],
  ...["commit → out-of-stock", "commit → reservation-cancelled", "cancel → 200"],
  ...["cancel → reservation-committed", "expire"],
];

describe("inventory compared with its model", () => {
  let inventory: Inventory;

  before(async () => {
    inventory = await Inventory.start(2, {
      RESERVATION_SECONDS: "86400",
      RESERVATION_SWEEP_MS: "20",
    });
  });
  after(() => inventory.stop());

  const fresh = async (onHand: number): Promise<Real> => ({
    inventory,
    skus: await Promise.all(Array.from({ length: SKUS }, () => inventory.product(onHand))),
    ids: Array.from({ length: IDS }, () => randomUUID()),
  });

  it("responds to each call like the model, and has the same stock", async () => {
    const commands = [
      ...Object.values(calls).map((call) => call.map((one) => new CallCommand(one))),
      anyId.map((id) => new Expire(id)),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.commands(commands, { maxCommands: COMMANDS, size: "max" }),
        async (given) => {
          const real = await fresh(6);
          const model: Model = {
            products: Array.from({ length: SKUS }, () => ({ onHand: 6, held: 0 })),
            reservations: new Map(),
          };
          await fc.asyncModelRun(() => ({ model, real }), given);
        },
      ),
      {
        ...{ seed: testSeed("model runs"), numRuns: RUNS },
        examples: [[scripted.map((one) => (one instanceof Expire ? one : new CallCommand(one)))]],
      },
    );
    for (const [what, count] of [...done].sort()) console.log(`      ${count} × ${what}`);
    for (const what of answersOfTheModel) assert.ok(done.has(what), `no run came to ${what}`);
  });

  it("keeps its stock consistent under concurrent calls", async () => {
    const batch = (...kinds: fc.Arbitrary<Call>[]) =>
      fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 20, size: "max" });
    const batches = fc.tuple(
      batch(calls.hold, calls.holdOne),
      batch(calls.hold, calls.holdOne, calls.commit, calls.cancel),
    );
    let sent = 0;
    const results = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(batches, async (given) => {
        const real = await fresh(6);
        for (const calls of given) {
          const answers = await Promise.all(calls.map((call) => call.send(real)));
          sent += answers.length;
          for (const answer of answers) {
            const result = resultOf(answer);
            results.set(result, (results.get(result) ?? 0) + 1);
          }
          await assertBalance(real, 6);
        }
        assert.ok([...results.keys()].every((result) => !result.startsWith("5")));
      }),
      { seed: testSeed("concurrent runs"), numRuns: RUNS },
    );
    console.log(`      ${sent} calls: ${JSON.stringify(Object.fromEntries(results))}`);
  });
});

function take(model: Model, lines: readonly ModelLine[]): boolean {
  const isThere = ({ product, quantity }: ModelLine) => {
    const { onHand, held } = model.products[product] ?? assert.fail("no product");
    return onHand - held >= quantity;
  };
  if (!lines.every(isThere)) return false;
  move(model, lines, (product, quantity) => (product.held += quantity));
  return true;
}

function move(
  { products }: Model,
  lines: readonly ModelLine[],
  change: (product: { onHand: number; held: number }, quantity: number) => void,
): void {
  for (const { product, quantity } of lines) {
    change(products[product] ?? assert.fail("no product"), quantity);
  }
}

function isSame(some: readonly ModelLine[], others: readonly ModelLine[]): boolean {
  const sorted = (lines: readonly ModelLine[]) =>
    JSON.stringify(lines.toSorted((one, other) => one.product - other.product));
  return sorted(some) === sorted(others);
}

function toLines(skus: readonly string[], lines: readonly ModelLine[]): Line[] {
  return lines.map(({ product, quantity }) => ({ sku: skus[product] ?? "", quantity }));
}

function resultOf(answer: Answer): string {
  const type = problemType(answer);
  return type === undefined || type === "about:blank" ? String(answer.status) : type;
}

async function assertStock({ products }: Model, { inventory, skus }: Real): Promise<void> {
  const stocks = await Promise.all(skus.map((sku) => inventory.stock(sku)));
  assert.deepEqual(
    stocks,
    products.map(({ onHand, held }) => ({ onHand, held, available: onHand - held })),
  );
  assert.ok(stocks.every(({ available }) => available >= 0));
}

/** Asserts that committed, held and available quantities add up to the initial stock and match the reservations. */
async function assertBalance({ inventory, skus, ids }: Real, put: number): Promise<void> {
  const rows = await inventory.replicas.database.query<{ status: Status; lines: readonly Line[] }>(
    "SELECT status, lines FROM reservations WHERE id = ANY($1)",
    [ids],
  );
  const sum = (wanted: Status, of: string) =>
    rows
      .filter(({ status }) => status === wanted)
      .flatMap(({ lines }) => lines)
      .filter(({ sku }) => sku === of)
      .reduce((total, { quantity }) => total + quantity, 0);
  for (const sku of skus) {
    const { onHand, held, available } = await inventory.stock(sku);
    assert.ok(available >= 0 && held >= 0, JSON.stringify({ onHand, held, available }));
    assert.equal(held, sum("held", sku));
    assert.equal(onHand + sum("committed", sku), put);
  }
}

import assert from "node:assert/strict";
import { startService, type RunningService, type TestStoreProcesses } from "@store/kit/testing";
import { ADA, filledIn, toCheckout } from "./support/buying.ts";
import { shop } from "./support/shop.ts";
import { locationOf, Visitor, type Page } from "./support/visitor.ts";

describe("how one pays at the storefront's checkout", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let visitor: Visitor;
  const extra: RunningService[] = [];

  before(async () => {
    store = await shop();
    await store.databases.inventory.query(
      "UPDATE products SET on_hand = 500 WHERE sku = 'MUG-STONE'",
    );
  });
  beforeEach(() => (visitor = new Visitor(store.gateway.url)));
  afterEach(async () => {
    store.gateway.intercept = undefined;
    store.gateway.dropResponse = undefined;
    store.gateway.targets.set("billing", store.services.billing.url);
    await Promise.all(extra.splice(0).map((service) => service.stop()));
  });

  /** A storefront that has heard nothing of billing yet. */
  const freshVisitor = async () => {
    const storefront = await startService("storefront", { GATEWAY_URL: store.gateway.url });
    extra.push(storefront);
    return new Visitor(storefront.url);
  };
  /** Has billing publish these. */
  const publish = (body: object) => {
    store.gateway.intercept = ({ url }, response) => {
      if (url !== "/api/billing/payment-methods") return false;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
      return true;
    };
  };
  const choicesOn = ({ text }: Page) =>
    [...text.matchAll(/type="radio"\s+name="token"\s+value="([^"]*)"/g)].map(([, token]) => token);

  it("is what billing publishes, with what is said of it, and the first is chosen", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    const { methods } = (await (
      await fetch(`${store.gateway.url}/api/billing/payment-methods`)
    ).json()) as { methods: { token: string; name: string; description: string }[] };
    assert.deepEqual(
      choicesOn(page),
      methods.map(({ token }) => token),
    );
    for (const { name, description } of methods)
      assert.ok(page.words.includes(`${name} ${description}`), name);
    assert.equal(page.form("/checkout")["token"], "tok_ok");
    assert.match(page.words, /no money moves/);
  });

  it("is what another provider publishes, in whose words money moves or doesn't", async () => {
    const methods = [
      { token: "pm_<b>", name: "A & B", description: "It pays.", outcome: "authorised" },
    ];
    publish({ provider: "another", movesMoney: true, methods });
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    assert.deepEqual(choicesOn(page), ["pm_&lt;b&gt;"]);
    assert.match(page.words, /A & B It pays/);
    assert.doesNotMatch(page.words, /no money moves/);
    publish({ provider: "another", movesMoney: false, methods });
    assert.match((await visitor.get("/checkout")).words, /no money moves/);
  });

  it("is nothing where no card can be taken here: the page says so, and asks for nothing", async () => {
    publish({ provider: "stripe", movesMoney: true, methods: [] });
    const page = await toCheckout(visitor, { "MUG-STONE": 2 });
    assert.equal(page.status, 200);
    assert.match(page.words, /We can’t take cards here yet/);
    assert.match(page.words, /2 × Stoneware Mug \$58\.00/);
    assert.doesNotMatch(page.text, /<form[^>]*action="\/checkout"|Place order|name="email"/);
    assert.equal(visitor.cookies.get("basket"), "MUG-STONE*2");
  });

  it("is no matter to an order that may have been placed before no card could be taken: it is still found", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    store.gateway.dropResponse = ({ method, url }) => method === "POST" && url === "/api/orders";
    publish({ provider: "stripe", movesMoney: true, methods: [] });
    const lost = await visitor.post("/checkout", filledIn(page));
    store.gateway.dropResponse = undefined;
    assert.equal(lost.status, 503);
    assert.match(lost.words, /we don’t know whether yours has reached us/);
    const { attempt, ...form } = lost.form("/checkout");
    assert.deepEqual(form, filledIn(page));
    const again = await visitor.post("/checkout", { ...form, attempt: attempt ?? "" });
    assert.match(locationOf(again), /^\/orders\//);
  });

  it("is chosen anew where what was chosen isn't offered any more", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    publish({
      provider: "stripe",
      movesMoney: false,
      methods: [{ token: "pm_card_visa", name: "Visa", description: "", outcome: "authorised" }],
    });
    const answer = await visitor.post("/checkout", { ...filledIn(page), email: "nobody" });
    assert.equal(answer.status, 400);
    assert.equal(answer.form("/checkout")["token"], "pm_card_visa");
  });

  it("stays known while billing is away: orders are taken as before, and driven later", async () => {
    await toCheckout(visitor, { "MUG-STONE": 1 });
    store.gateway.targets.set("billing", undefined);
    const page = await visitor.get("/checkout");
    assert.equal(choicesOn(page).length, 5);
    assert.match(locationOf(await visitor.post("/checkout", filledIn(page))), /^\/orders\//);
  });

  it("isn't known as long as billing hasn't answered: the checkout says so and keeps what is entered", async () => {
    store.gateway.targets.set("billing", undefined);
    const fresh = await freshVisitor();
    const page = await toCheckout(fresh, { "MUG-STONE": 1 });
    assert.equal(page.status, 200);
    assert.match(page.words, /We can’t find out right now how you can pay/);
    assert.doesNotMatch(page.words, /Place order/);
    assert.match(page.text, /<button[^>]*name="look-again"[^>]*formnovalidate/);
    assert.equal(page.form("/checkout")["token"], undefined);

    const entered = { ...page.form("/checkout"), ...ADA, "look-again": "yes" };
    const still = await fresh.post("/checkout", entered);
    assert.match(still.words, /We can’t find out right now how you can pay/);
    store.gateway.targets.set("billing", store.services.billing.url);
    const answer = await fresh.post("/checkout", {
      ...still.form("/checkout"),
      "look-again": "yes",
    });
    const form = answer.form("/checkout");
    assert.deepEqual({ ...form, ...ADA }, form);
    assert.equal(form["key"], page.form("/checkout")["key"]);
    assert.equal(form["token"], "tok_ok");
    assert.match(locationOf(await fresh.post("/checkout", form)), /^\/orders\//);
  });

  it("is no matter to an order whose card was chosen before billing went", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    store.gateway.targets.set("billing", undefined);
    const fresh = await freshVisitor();
    for (const [name, value] of visitor.cookies) fresh.cookies.set(name, value);
    const wrong = { ...filledIn(page), email: "nobody", token: "tok_slow" };
    const answer = await fresh.post("/checkout", wrong);
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.form("/checkout"), wrong);
    assert.match(answer.words, /Your choice stays/);
    const right = { ...answer.form("/checkout"), email: ADA.email };
    assert.match(locationOf(await fresh.post("/checkout", right)), /^\/orders\//);
  });

  it("doesn't keep the page waiting for a billing that hangs", async () => {
    const held: (() => void)[] = [];
    store.gateway.intercept = ({ url }, response) => {
      if (url !== "/api/billing/payment-methods") return false;
      held.push(() => response.destroy());
      return true;
    };
    const before = Date.now();
    try {
      const page = await toCheckout(visitor, { "MUG-STONE": 1 });
      assert.equal(choicesOn(page).length, 5);
      assert.ok(Date.now() - before < 4_000, `${Date.now() - before} ms`);
    } finally {
      for (const end of held) end();
    }
  });
});

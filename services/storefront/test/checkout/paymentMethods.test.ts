import assert from "node:assert/strict";
import { startService, type RunningService, type TestStoreProcesses } from "@store/kit/testing";
import { ADA, fillCheckout, openCheckout } from "../support/purchase.ts";
import { sharedStore } from "../support/testStore.ts";
import { locationOf, ShopClient, type Page } from "../support/shopClient.ts";

describe("payment at the storefront's checkout", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;
  const extraServices: RunningService[] = [];

  before(async () => {
    store = await sharedStore();
    await store.databases.inventory.query(
      "UPDATE products SET on_hand = 500 WHERE sku = 'MUG-STONE'",
    );
  });
  beforeEach(() => (client = new ShopClient(store.gateway.url)));
  afterEach(async () => {
    store.gateway.intercept = undefined;
    store.gateway.dropResponse = undefined;
    store.gateway.targets.set("billing", store.services.billing.url);
    await Promise.all(extraServices.splice(0).map((service) => service.stop()));
  });

  /** Starts a storefront that has not received any payment methods yet. */
  const clientOfNewStorefront = async () => {
    const storefront = await startService("storefront", { GATEWAY_URL: store.gateway.url });
    extraServices.push(storefront);
    return new ShopClient(storefront.url);
  };
  /** Replaces the payment methods that billing publishes. */
  const publishMethods = (body: object) => {
    store.gateway.intercept = ({ url }, response) => {
      if (url !== "/api/billing/payment-methods") return false;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
      return true;
    };
  };
  const tokensOn = ({ text }: Page) =>
    [...text.matchAll(/type="radio"\s+name="token"\s+value="([^"]*)"/g)].map(([, token]) => token);

  it("offers the payment methods that billing publishes, and preselects the first", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    const { methods } = (await (
      await fetch(`${store.gateway.url}/api/billing/payment-methods`)
    ).json()) as { methods: { token: string; name: string; description: string }[] };
    assert.deepEqual(
      tokensOn(page),
      methods.map(({ token }) => token),
    );
    for (const { name, description } of methods)
      assert.ok(page.visibleText.includes(`${name} ${description}`), name);
    assert.equal(page.form("/checkout")["token"], "tok_ok");
    assert.match(page.visibleText, /no real payments are made/);
  });

  it("shows the demo notice only if the provider moves no money", async () => {
    const methods = [
      { token: "pm_<b>", name: "A & B", description: "It pays.", outcome: "authorised" },
    ];
    publishMethods({ provider: "another", movesMoney: true, methods });
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    assert.deepEqual(tokensOn(page), ["pm_&lt;b&gt;"]);
    assert.match(page.visibleText, /A & B It pays/);
    assert.doesNotMatch(page.visibleText, /no real payments are made/);
    publishMethods({ provider: "another", movesMoney: false, methods });
    assert.match((await client.get("/checkout")).visibleText, /no real payments are made/);
  });

  it("shows a notice instead of the form if billing publishes no payment methods", async () => {
    publishMethods({ provider: "stripe", movesMoney: true, methods: [] });
    const page = await openCheckout(client, { "MUG-STONE": 2 });
    assert.equal(page.status, 200);
    assert.match(page.visibleText, /We can’t accept card payments yet/);
    assert.match(page.visibleText, /2 × Stoneware Mug \$58\.00/);
    assert.doesNotMatch(page.text, /<form[^>]*action="\/checkout"|Place order|name="email"/);
    assert.equal(client.cookies.get("basket"), "MUG-STONE*2");
  });

  it("keeps the form of an order that may have been placed before the payment methods were removed", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    store.gateway.dropResponse = ({ method, url }) => method === "POST" && url === "/api/orders";
    publishMethods({ provider: "stripe", movesMoney: true, methods: [] });
    const lost = await client.post("/checkout", fillCheckout(page));
    store.gateway.dropResponse = undefined;
    assert.equal(lost.status, 503);
    assert.match(lost.visibleText, /we don’t know whether your order was placed/);
    const { attempt, ...form } = lost.form("/checkout");
    assert.deepEqual(form, fillCheckout(page));
    const again = await client.post("/checkout", { ...form, attempt: attempt ?? "" });
    assert.match(locationOf(again), /^\/orders\//);
  });

  it("selects another payment method if the chosen one is no longer offered", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    publishMethods({
      provider: "stripe",
      movesMoney: false,
      methods: [{ token: "pm_card_visa", name: "Visa", description: "", outcome: "authorised" }],
    });
    const answer = await client.post("/checkout", { ...fillCheckout(page), email: "nobody" });
    assert.equal(answer.status, 400);
    assert.equal(answer.form("/checkout")["token"], "pm_card_visa");
  });

  it("offers the last known payment methods and accepts orders while billing is down", async () => {
    await openCheckout(client, { "MUG-STONE": 1 });
    store.gateway.targets.set("billing", undefined);
    const page = await client.get("/checkout");
    assert.equal(tokensOn(page).length, 5);
    assert.match(locationOf(await client.post("/checkout", fillCheckout(page))), /^\/orders\//);
  });

  it("offers to try again, and keeps what was entered, until billing answers for the first time", async () => {
    store.gateway.targets.set("billing", undefined);
    const fresh = await clientOfNewStorefront();
    const page = await openCheckout(fresh, { "MUG-STONE": 1 });
    assert.equal(page.status, 200);
    assert.match(page.visibleText, /Payment is temporarily unavailable/);
    assert.doesNotMatch(page.visibleText, /Place order/);
    assert.match(page.text, /<button[^>]*name="try-again"[^>]*formnovalidate/);
    assert.equal(page.form("/checkout")["token"], undefined);

    const entered = { ...page.form("/checkout"), ...ADA, "try-again": "yes" };
    const still = await fresh.post("/checkout", entered);
    assert.match(still.visibleText, /Payment is temporarily unavailable/);
    store.gateway.targets.set("billing", store.services.billing.url);
    const answer = await fresh.post("/checkout", {
      ...still.form("/checkout"),
      "try-again": "yes",
    });
    const form = answer.form("/checkout");
    assert.deepEqual({ ...form, ...ADA }, form);
    assert.equal(form["key"], page.form("/checkout")["key"]);
    assert.equal(form["token"], "tok_ok");
    assert.match(locationOf(await fresh.post("/checkout", form)), /^\/orders\//);
  });

  it("accepts an order whose payment method was chosen before billing went down", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    store.gateway.targets.set("billing", undefined);
    const fresh = await clientOfNewStorefront();
    for (const [name, value] of client.cookies) fresh.cookies.set(name, value);
    const wrong = { ...fillCheckout(page), email: "nobody", token: "tok_slow" };
    const answer = await fresh.post("/checkout", wrong);
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.form("/checkout"), wrong);
    assert.match(answer.visibleText, /The one you chose is still selected/);
    const right = { ...answer.form("/checkout"), email: ADA.email };
    assert.match(locationOf(await fresh.post("/checkout", right)), /^\/orders\//);
  });

  it("shows the checkout soon when billing hangs", async () => {
    const heldResponses: (() => void)[] = [];
    store.gateway.intercept = ({ url }, response) => {
      if (url !== "/api/billing/payment-methods") return false;
      heldResponses.push(() => response.destroy());
      return true;
    };
    const before = Date.now();
    try {
      const page = await openCheckout(client, { "MUG-STONE": 1 });
      assert.equal(tokensOn(page).length, 5);
      assert.ok(Date.now() - before < 15_000, `${Date.now() - before} ms`);
    } finally {
      for (const end of heldResponses) end();
    }
  });
});

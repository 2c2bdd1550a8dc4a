import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { locationOf, ShopClient } from "../support/shopClient.ts";
import { createOfficeClients, sharedStore } from "../support/testStore.ts";

describe("the storefront's office: login", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let clerk: ShopClient;
  let customer: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(async () => ({ clerk, customer } = await createOfficeClients(store)));

  const pages = [
    "/office/orders",
    "/office/parcels",
    "/office/stock",
    "/office/stock/MUG-STONE",
    "/office/new-product",
    "/office/orders/00000000-0000-4000-8000-000000000000",
  ];

  it("shows only the login form to a client without a token or with an invalid one", async () => {
    const withOldToken = new ShopClient(store.gateway.url);
    withOldToken.cookies.set("office", "an-old-token");
    for (const client of [customer, withOldToken]) {
      for (const path of pages.filter((path) => client === customer || !path.includes("new"))) {
        const { status, text, visibleText } = await client.get(path);
        assert.equal(status, 401, path);
        assert.match(visibleText, /Token Log in/);
        assert.match(text, new RegExp(`name="next" value="${path}"`));
        assert.doesNotMatch(visibleText, /Mug/);
      }
    }
  });

  it("stores a valid token in a cookie for the office's paths, and redirects to the requested page", async () => {
    const answer = await customer.post("/office/login", {
      token: store.staff.token,
      next: "/office/stock?q=mug",
    });
    assert.equal(locationOf(answer), "/office/stock?q=mug");
    assert.equal(
      answer.headers.get("set-cookie"),
      `office=${store.staff.token}; Path=/office; HttpOnly; SameSite=Strict`,
    );
    for (const next of ["https://evil.example", "//evil.example", "/office/../x\\", "/basket"]) {
      const { token } = store.staff;
      assert.equal(locationOf(await clerk.post("/office/login", { token, next })), "/office");
    }
  });

  it("rejects an invalid token", async () => {
    for (const token of ["wrong", "", "ü", "a b", `${store.staff.token}x`]) {
      const client = new ShopClient(store.gateway.url);
      const { status, visibleText } = await client.post("/office/login", { token });
      assert.equal(status, 401);
      assert.match(visibleText, /Incorrect token/);
      assert.equal(client.cookies.size, 0);
    }
  });

  it("logs out and removes the cookie", async () => {
    await clerk.post("/office/logout", {});
    assert.equal(clerk.cookies.size, 0);
    assert.equal((await clerk.get("/office/stock")).status, 401);
  });

  it("rejects forms from another site, and forbids caching of its pages", async () => {
    const origin = "https://evil.example";
    const sent = await clerk.post("/office/stock/MUG-STONE", { onHand: "0" }, { origin });
    assert.equal(sent.status, 403);
    const { headers } = await clerk.get("/office/stock");
    assert.equal(headers.get("cache-control"), "private, no-store");
  });
});

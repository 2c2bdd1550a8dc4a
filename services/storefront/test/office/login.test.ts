import assert from "node:assert/strict";
import { once } from "node:events";
import { request as send, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
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

  it("stores the token in a cookie for HTTPS and this host only, if the browser uses HTTPS", async () => {
    const client = new ShopClient(store.gateway.url, { "x-forwarded-proto": "https" });
    const { token } = store.staff;
    const answer = await client.post("/office/login", { token });
    assert.equal(
      answer.headers.get("set-cookie"),
      `__Host-office=${token}; Path=/; HttpOnly; Secure; SameSite=Strict`,
    );
    assert.equal((await client.get("/office/stock")).status, 200);
    await client.submit("/basket/add", { sku: "MUG-STONE", quantity: "1" });
    assert.deepEqual([...client.cookies.keys()], ["__Host-office", "__Host-basket"]);
    assert.match((await client.get("/basket")).visibleText, /Mug/);
    const logout = await client.post("/office/logout", {});
    assert.match(logout.headers.get("set-cookie") ?? "", /^__Host-office=; .*Path=\/; .*Secure/);
    assert.deepEqual([...client.cookies.keys()], ["__Host-basket"]);
    // Another host of the domain could have set a cookie without the prefix.
    client.cookies.set("office", token);
    assert.equal((await client.get("/office/stock")).status, 401);
  });

  it("logs nobody in over HTTP through a network, and says how to reach the office safely", async () => {
    const { token } = store.staff;
    // The client's origin is 127.0.0.1: the office is open to the same machine, and through a tunnel.
    const tunnel = new ShopClient(store.gateway.url, { "x-forwarded-proto": "http" });
    assert.equal((await tunnel.post("/office/login", { token })).status, 303);
    const { hostname, port } = new URL(store.gateway.url);
    const ask = async (method: string, path: string, headers: OutgoingHttpHeaders = {}) => {
      const host = "shop.example.org";
      const request = send({
        ...{ hostname, port, method, path },
        headers: {
          ...{ accept: "text/html", host, origin: `http://${host}`, "x-forwarded-proto": "http" },
          ...{ "content-type": "application/x-www-form-urlencoded", ...headers },
        },
      }).end(method === "POST" ? `token=${token}` : undefined);
      const [response] = (await once(request, "response")) as [IncomingMessage];
      return { response, body: await text(response) };
    };
    const login = await ask("POST", "/office/login");
    assert.equal(login.response.statusCode, 403);
    assert.equal(login.response.headers["set-cookie"], undefined);
    assert.match(login.body, /store:domain.*\.\/store ssh STACK -- -N -L 8080:localhost:80/s);
    assert.doesNotMatch(login.body, /<form/);
    // A session from before the office required HTTPS.
    const old = await ask("GET", "/office/orders", { cookie: `office=${token}` });
    assert.equal(old.response.statusCode, 401);
    assert.match(old.body, /Nobody can log in at this address/);
    assert.equal((await ask("GET", "/")).response.statusCode, 200);
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

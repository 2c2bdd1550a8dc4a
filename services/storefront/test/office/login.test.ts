import assert from "node:assert/strict";
import { once } from "node:events";
import { request as send, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import type { TestStoreProcesses } from "@store/kit/testing";
import { locationOf, ShopClient } from "../support/shopClient.ts";
import { createOfficeClients, sharedStore } from "../support/testStore.ts";

describe("the storefront's office: login", () => {
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
    // A cookie of the release whose cookie was the token, and one of an unknown session.
    withOldToken.cookies.set("office", store.staff.token);
    const withUnknownSession = new ShopClient(store.gateway.url);
    withUnknownSession.cookies.set("office", "A".repeat(43));
    for (const client of [customer, withOldToken, withUnknownSession]) {
      for (const path of pages) {
        const { status, text, visibleText } = await client.get(path);
        assert.equal(status, 401, path);
        assert.match(visibleText, /Token Log in/);
        assert.match(text, new RegExp(`name="next" value="${path}"`));
        assert.doesNotMatch(visibleText, /Mug/);
      }
    }
  });

  it("starts a session with a cookie for the office's paths, which doesn't contain the token, and redirects to the requested page", async () => {
    const answer = await customer.post("/office/login", {
      token: store.staff.token,
      next: "/office/stock?q=mug",
    });
    assert.equal(locationOf(answer), "/office/stock?q=mug");
    const cookie = answer.headers.get("set-cookie") ?? "";
    assert.match(cookie, /^office=[\w-]{43}; Path=\/office; HttpOnly; SameSite=Strict$/);
    assert.ok(!cookie.includes(store.staff.token));
    const page = await customer.get("/office/stock");
    assert.match(page.visibleText, /Logged in as clerk Log out/);
    assert.ok(!page.text.includes(store.staff.token));
    for (const next of ["https://evil.example", "//evil.example", "/office/../x\\", "/basket"]) {
      const { token } = store.staff;
      assert.equal(locationOf(await clerk.post("/office/login", { token, next })), "/office");
    }
  });

  it("restricts the session's cookie to HTTPS and this host, if the browser uses HTTPS", async () => {
    const client = new ShopClient(store.gateway.url, { "x-forwarded-proto": "https" });
    const { token } = store.staff;
    const answer = await client.post("/office/login", { token });
    assert.match(
      answer.headers.get("set-cookie") ?? "",
      /^__Host-office=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const secret = client.cookies.get("__Host-office") ?? "";
    assert.equal((await client.get("/office/stock")).status, 200);
    await client.submit("/basket/add", { sku: "MUG-STONE", quantity: "1" });
    assert.deepEqual([...client.cookies.keys()], ["__Host-office", "__Host-basket"]);
    assert.match((await client.get("/basket")).visibleText, /Mug/);
    const logout = await client.post("/office/logout", {});
    assert.match(logout.headers.get("set-cookie") ?? "", /^__Host-office=; .*Path=\/; .*Secure/);
    assert.deepEqual([...client.cookies.keys()], ["__Host-basket"]);
    // Another host of the domain could have set a cookie without the prefix.
    client.cookies.set("office", secret);
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
    const secret = clerk.cookies.get("office") ?? assert.fail();
    const old = await ask("GET", "/office/orders", { cookie: `office=${secret}` });
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

  it("ends the session at the log-out, also for a copy of the cookie", async () => {
    const copy = clerk.clone();
    assert.equal((await copy.get("/office/stock")).status, 200);
    const other = (await createOfficeClients(store)).clerk;
    await clerk.post("/office/logout", {});
    assert.equal(clerk.cookies.size, 0);
    assert.equal((await clerk.get("/office/stock")).status, 401);
    assert.equal((await copy.get("/office/stock")).status, 401);
    assert.equal((await copy.post("/office/logout", {})).status, 303);
    // Another session with the same token goes on.
    assert.equal((await other.get("/office/stock")).status, 200);
  });

  it("says that a log-out has failed, and keeps the cookie to try again", async () => {
    const { orders } = store.services;
    const target = store.gateway.targets.get("orders") ?? assert.fail();
    store.gateway.targets.set("orders", "http://127.0.0.1:9");
    try {
      assert.equal((await clerk.post("/office/logout", {})).status, 503);
    } finally {
      store.gateway.targets.set("orders", target);
    }
    assert.equal(target, orders.url);
    assert.equal(clerk.cookies.size, 1);
    assert.equal((await clerk.post("/office/logout", {})).status, 303);
  });

  it("ends sessions after 12 hours and after 2 hours without a request", async () => {
    const { orders } = store.databases;
    const statusAfter = async (change: string): Promise<number> => {
      const { clerk: one } = await createOfficeClients(store);
      assert.equal((await one.get("/office/stock")).status, 200);
      await orders.query(`UPDATE staff_sessions SET ${change}`);
      return (await one.get("/office/stock")).status;
    };
    const [lifetime] = await orders.query<{ hours: number }>(
      "SELECT extract(epoch FROM max(expires_at) - now()) / 3600 AS hours FROM staff_sessions",
    );
    assert.equal(Math.round(Number(lifetime?.hours)), 12);
    assert.equal(await statusAfter("expires_at = now()"), 401);
    assert.equal(await statusAfter("used_at = now() - interval '119 minutes'"), 200);
    assert.equal(await statusAfter("used_at = now() - interval '121 minutes'"), 401);
    // A request keeps the session alive.
    const { clerk: active } = await createOfficeClients(store);
    await orders.query("UPDATE staff_sessions SET used_at = now() - interval '119 minutes'");
    await active.get("/office/stock");
    const [idle] = await orders.query<{ seconds: number }>(
      "SELECT extract(epoch FROM now() - max(used_at)) AS seconds FROM staff_sessions",
    );
    assert.ok(Number(idle?.seconds) < 60);
  });

  it("ends the sessions of a removed token, and goes on with the other tokens", async () => {
    const { staff } = store;
    const tokens = { [staff.name]: staff.token, ana: "token-of-ana" };
    try {
      staff.admit(tokens);
      const ana = new ShopClient(store.gateway.url);
      assert.equal((await ana.post("/office/login", { token: tokens.ana })).status, 303);
      assert.match((await ana.get("/office/stock")).visibleText, /Logged in as ana/);
      staff.admit();
      const { status, visibleText } = await ana.get("/office/stock");
      assert.equal(status, 401);
      assert.match(visibleText, /token is no longer valid/);
      assert.equal((await clerk.get("/office/stock")).status, 200);
    } finally {
      staff.admit();
    }
  });

  it("stores sessions from which nobody learns the token", async () => {
    const rows = await store.databases.orders.query("SELECT * FROM staff_sessions");
    assert.ok(rows.length > 0);
    const secret = clerk.cookies.get("office") ?? assert.fail();
    for (const text of [store.staff.token, secret]) assert.ok(!JSON.stringify(rows).includes(text));
  });

  it("rejects forms from another site, and forbids caching of its pages", async () => {
    const origin = "https://evil.example";
    const sent = await clerk.post("/office/stock/MUG-STONE", { onHand: "0" }, { origin });
    assert.equal(sent.status, 403);
    const { headers } = await clerk.get("/office/stock");
    assert.equal(headers.get("cache-control"), "private, no-store");
  });
});

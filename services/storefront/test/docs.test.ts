import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { sharedStore } from "./support/testStore.ts";
import { ShopClient } from "./support/shopClient.ts";

describe("the storefront's API documentation", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => {
    store = await sharedStore();
    client = new ShopClient(store.gateway.url);
  });

  it("lists every service with its OpenAPI document, without scripts", async () => {
    const { status, text } = await client.get("/docs");
    assert.equal(status, 200);
    for (const name of ["billing", "inventory", "orders", "shipping"]) {
      assert.match(text, new RegExp(`href="/docs/${name}"`));
      const [, document = ""] = new RegExp(`href="(/api/${name}/openapi.json)"`).exec(text) ?? [];
      const published = (await (await fetch(store.gateway.url + document)).json()) as {
        openapi: string;
      };
      assert.equal(published.openapi, "3.1.0");
    }
    assert.doesNotMatch(text, /<script/);
  });

  it("shows a new service without a change of its configuration", async () => {
    store.gateway.targets.set("gifts", "http://127.0.0.1:1");
    try {
      assert.match((await client.get("/docs")).text, /href="\/docs\/gifts"/);
      assert.equal((await client.get("/docs/gifts")).status, 200);
    } finally {
      store.gateway.targets.delete("gifts");
    }
  });

  it("serves Swagger UI from its own origin, under a policy without unsafe directives", async () => {
    const { headers, text } = await client.get("/docs/orders");
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; style-src 'self'; img-src 'self' data:;/);
    assert.match(policy, /script-src 'self'; connect-src 'self'$/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.match(text, /data-document="\/api\/orders\/openapi\.json"/);
    const files = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
    assert.equal(new Set(files).size, 5);
    for (const file of files) {
      assert.equal((await fetch(store.gateway.url + (file ?? ""))).status, 200, file);
    }
    assert.doesNotMatch(text, /(src|href)="(https?:)?\/\//);
  });
});

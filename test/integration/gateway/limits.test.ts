import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually";
import { assertProblem, pick } from "./http";
import { countForMinutes, Gateway, TestNetwork } from "./network";

describe("the gateway limits", () => {
  let network: TestNetwork;
  let gateway: Gateway;

  before(async () => {
    network = await TestNetwork.create();
    gateway = await network.startGateway({ requests: 0 });
  });
  after(() => network.dispose());

  it("the requests of a client address from outside, but not those of storefront", async () => {
    const limited = await network.startGateway({ requests: 20 }, {}, [], { edit: countForMinutes });
    const statuses = async (url: string): Promise<number[]> => {
      const found: number[] = [];
      for (let i = 0; i < 25; i++) {
        const response = await fetch(url);
        found.push(response.status);
        await response.arrayBuffer();
      }
      return found;
    };
    assert.deepEqual(new Set(await statuses(limited.inside)), new Set([200]));
    assert.deepEqual(await statuses(limited.published), [
      ...Array.from({ length: 20 }, () => 200),
      ...Array.from({ length: 5 }, () => 429),
    ]);
    const refused = await fetch(limited.published);
    assert.equal(refused.headers.get("retry-after"), "10");
    await assertProblem(refused);
    assert.equal((await fetch(limited.inside)).status, 200);
  });

  it("an address that ignores its refusals: its connections are closed until it has paused", async () => {
    const limited = await network.startGateway({ requests: 5 }, {}, [], {
      edit: (config) => config.replaceAll("http_req_rate(10s)", "http_req_rate(2s)"),
    });
    const one = () =>
      fetch(limited.published).then(
        ({ status }) => status,
        () => "closed",
      );
    const answers: unknown[] = [];
    // At the same time, because a busy machine may answer fewer than twenty in two seconds one after another.
    await eventually(async () => {
      answers.push(...(await Promise.all(Array.from({ length: 30 }, one))));
      return answers.includes("closed");
    }, "no connection is closed");
    const count = (kind: unknown): number => answers.filter((answer) => answer === kind).length;
    // HAProxy's rate is an estimate.
    assert.ok(count(200) + count(429) > 15 && count(429) > 0, answers.join());
    const other = `fetch("http://${limited.container}:8080/").then((r) => console.log(r.status))`;
    assert.equal((await network.exec("inventory", "node", "-e", other)).trim(), "200");
    await eventually(async () => {
      await sleep(3_000);
      return (await one()) === 200;
    }, "it should be answered again");
  });

  it("the requests that a spec limits, in any spelling, and no others", async () => {
    const limited = await network.startGateway(
      { requests: 1_000 },
      {
        inventory: [{ method: "POST", path: "/api/inventory/orders", requests: 3, seconds: 600 }],
        storefront: [
          { method: "POST", path: "/login", requests: 2, seconds: 600 },
          { method: "PUT", path: "/login", requests: 4, seconds: 10 },
        ],
      },
    );
    const status = async (line: string) => (await limited.send(`${line} HTTP/1.1`)).status;
    const other = async () => {
      assert.equal(await status("GET /api/inventory/orders"), 200);
      assert.equal(await status("POST /api/inventory/orders/1"), 200);
      assert.equal(await status("POST /api/inventory"), 200);
      for (let i = 0; i < 5; i++)
        assert.equal(
          (await fetch(`${limited.inside}/api/inventory/orders`, { method: "POST" })).status,
          200,
        );
    };
    await other();
    for (const path of ["", "?x=1", "?/"])
      assert.equal(await status(`POST /api/inventory/orders${path}`), 200, path);
    for (const target of [
      "/api/inventory/orders",
      "/api/inventory/orders?again",
      "/api/inventory/%6frd%65rs",
      "http://gateway/api/inventory/orders",
    ])
      assert.equal(await status(`POST ${target}`), 429, target);
    assert.equal(await status("POST /api/inventory/orders#x"), 400);
    await other();

    const login = () => fetch(`${limited.published}/login`, { method: "POST" });
    for (const expected of [200, 200, 429]) assert.equal((await login()).status, expected);
    const refused = await login();
    assert.equal(refused.headers.get("retry-after"), "600");
    await assertProblem(refused);
    assert.equal(await status("PUT /login"), 200);
  });

  it("bodies to 1 MiB", async () => {
    const post = (body: RequestInit["body"]) =>
      fetch(`${gateway.published}/api/inventory/x`, { method: "POST", body });
    const whole = await post(Buffer.alloc(1024 * 1024));
    assert.equal(whole.status, 200);
    assert.deepEqual(pick(await whole.json(), "length"), { length: 1024 * 1024 });
    for (const size of [1024 * 1024 + 1, 10_000_000]) {
      const response = await post(Buffer.alloc(size));
      assert.equal(response.status, 413);
      await assertProblem(response);
    }
  });

  it("URLs to 4096 characters", async () => {
    const at = (length: number) =>
      fetch(`${gateway.published}/x?${"a".repeat(length - "/x?".length)}`);
    assert.equal((await at(4096)).status, 200);
    const response = await at(4097);
    assert.equal(response.status, 414);
    await assertProblem(response);
  });

  it("headers to the services' limit", async () => {
    const headers = (length: number) => [`x-long: ${"a".repeat(length)}`];
    assert.equal((await gateway.send("GET / HTTP/1.1", headers(14_000))).status, 200);
    assert.equal((await gateway.send("GET / HTTP/1.1", headers(16_000))).status, 400);
    const many = Array.from({ length: 200 }, (_, index) => `x-${index}: 1`);
    assert.equal((await gateway.send("GET / HTTP/1.1", many)).status, 400);
  });

  it("the time for receiving a request", async () => {
    const unfinished = ["content-length: 10", "x-unfinished"];
    const [headers, body] = await Promise.all([
      gateway.send("POST / HTTP/1.1", unfinished, { end: "" }),
      gateway.send("POST / HTTP/1.1", unfinished.slice(0, 1), { end: "\r\n\r\nhalf" }),
    ]);
    assert.equal(headers.status, 408);
    assert.equal(body.status, 400);
    assert.match(body.head, /^content-type: application\/problem\+json/im);
    assert.match(body.body, /didn’t arrive in time/);
    assert.ok(headers.milliseconds < 20_000 && body.milliseconds < 29_000);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { freePort, until } from "@store/kit/testing";
import { FaultProxy, type Upstream } from "./faultProxy.ts";
import { drawFault, faults, type Fault } from "./faults.ts";

const path = "/internal/shipments/11111111-2222-3333-4444-555555555555";

describe("the fault-injecting proxy", () => {
  let proxy: FaultProxy;
  let servers: Server[];
  let upstreams: Upstream[];
  let url: string;
  /** The requests that reached the service: replica, method, header and body. */
  let received: string[];

  beforeEach(async () => {
    received = [];
    servers = ["one", "two"].map((name) =>
      createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          received.push(
            `${name} ${request.method} ${request.headers["x-sent"]?.toString()} ${body}`,
          );
          response.writeHead(201, { "x-kept": "yes" }).end(`answer to ${body}`);
        });
      }).listen(0, "127.0.0.1"),
    );
    await Promise.all(servers.map((server) => once(server, "listening")));
    upstreams = servers.map((server, n) => ({
      name: ["one", "two"][n] ?? "",
      port: (server.address() as AddressInfo).port,
    }));
    proxy = new FaultProxy({
      seed: 1,
      upstreams: () => upstreams,
      subjectOf: ({ id }) => Promise.resolve(id),
    });
    url = (await proxy.addRoute("caller", "shipping")) + path;
  });
  afterEach(async () => {
    await proxy.close();
    for (const server of servers) server.close().closeAllConnections();
  });

  const put = (body: string, signal?: AbortSignal) =>
    fetch(url, { method: "PUT", body, headers: { "x-sent": "too" }, signal: signal ?? null });
  const happens = (fault: Fault) => (proxy.profile = { [fault]: 1 });

  it("forwards calls unchanged to the replicas in turn and records them", async () => {
    const answers = [await put("a"), await put("b")];
    assert.deepEqual(await Promise.all(answers.map((answer) => answer.text())), [
      "answer to a",
      "answer to b",
    ]);
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.get("x-kept")]),
      [
        [201, "yes"],
        [201, "yes"],
      ],
    );
    assert.deepEqual(received, ["one PUT too a", "two PUT too b"]);
    await proxy.settled();
    assert.deepEqual(
      proxy.calls.map(({ caller, operation, id, servedBy, status, to }) => [
        ...[caller, operation, id, servedBy, status, to !== undefined],
      ]),
      ["one", "two"].map((name) => ["caller", "ship", path.slice(-36), name, 201, true]),
    );
  });

  it("skips an unreachable replica, and responds 503 when all are unreachable", async () => {
    const gone = await freePort();
    upstreams = [{ name: "gone", port: gone }, ...upstreams.slice(0, 1)];
    assert.deepEqual([(await put("a")).status, (await put("b")).status], [201, 201]);
    upstreams = upstreams.slice(0, 1);
    assert.equal((await put("c")).status, 503);
    assert.deepEqual(received, ["one PUT too a", "one PUT too b"]);
  });

  it("drops a request before the service gets it", async () => {
    happens("dropRequest");
    await assert.rejects(put("a"));
    assert.deepEqual(received, []);
  });

  it("drops the response to a request that took effect", async () => {
    happens("dropResponse");
    await assert.rejects(put("a"));
    assert.deepEqual(received, ["one PUT too a"]);
  });

  it("responds 503 without forwarding the request", async () => {
    happens("unavailable");
    assert.equal((await put("a")).status, 503);
    assert.deepEqual(received, []);
  });

  it("forwards a delayed request after its caller has given up", async () => {
    happens("delay");
    const caller = new AbortController();
    const call = put("a", caller.signal);
    await until("the call is on its way", () => proxy.calls[0]?.fault === "delay");
    caller.abort();
    await assert.rejects(call, { name: "AbortError" });
    assert.deepEqual(received, []);
    await proxy.settled();
    assert.deepEqual(received, ["one PUT too a"]);
  });

  it("sends a duplicate at once, or much later", async () => {
    happens("duplicate");
    assert.equal((await put("a")).status, 201);
    await proxy.settled();
    assert.deepEqual(received.sort(), ["one PUT too a", "two PUT too a"]);

    received.length = 0;
    happens("lateCall");
    assert.equal((await put("b")).status, 201);
    assert.deepEqual(received, ["one PUT too b"]);
    await proxy.settled();
    assert.deepEqual(received, ["one PUT too b", "two PUT too b"]);
  });

  it("springs a trap once, before the service gets the call or after it took effect", async () => {
    const sprung: string[] = [];
    for (const moment of ["before", "after"] as const) {
      proxy.setTrap({ operation: "ship", moment, spring: () => sprung.push(moment) });
      await assert.rejects(put(moment));
    }
    const disarm = proxy.setTrap({
      operation: "ship",
      moment: "before",
      spring: () => assert.fail(),
    });
    disarm();
    assert.equal((await put("later")).status, 201);
    assert.deepEqual(sprung, ["before", "after"]);
    assert.deepEqual(received, ["one PUT too after", "two PUT too later"]);
  });

  it("draws the same faults for the same seed and names, in the shares of the profile", () => {
    const profile = { dropRequest: 0.1, dropResponse: 0.2, lateCall: 0.3 };
    const draw = (seed: number) =>
      Array.from({ length: 4_000 }, (_, n) => drawFault(profile, seed, `call ${n}`));
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    const share = (fault: Fault) => draw(7).filter((drawn) => drawn === fault).length / 4_000;
    for (const fault of faults) {
      const wanted = (profile as Partial<Record<Fault, number>>)[fault] ?? 0;
      assert.ok(Math.abs(share(fault) - wanted) < 0.03, `${fault}: ${share(fault)}`);
    }
  });
});

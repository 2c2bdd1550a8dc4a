import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  callerEnvironment as callerFiles,
  callerToken,
  createDatabase,
  until,
  type RunningService,
} from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("client of another service", () => {
  let other: Server;
  let caller: RunningService;
  let callerEnvironment: Readonly<Record<string, string>>;
  /** The next responses of the called service: a status, or a kind of failure. Then 200. */
  let responses: (number | "disconnect" | "no response" | "stalled body" | "truncated body")[];
  /** The request ids that the called service received. */
  const receivedIds: (string | string[] | undefined)[] = [];
  const receivedTokens: (string | undefined)[] = [];

  before(async () => {
    other = createServer((request, response) => {
      receivedIds.push(request.headers["x-request-id"]);
      receivedTokens.push(request.headers.authorization);
      const behaviour = responses.shift() ?? 200;
      if (behaviour === "disconnect") request.socket.destroy();
      else if (behaviour === "stalled body" || behaviour === "truncated body") {
        response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
        response.write('{"from":', () => {
          if (behaviour === "truncated body") request.socket.destroy();
        });
      } else if (behaviour !== "no response")
        response
          .writeHead(behaviour, { "content-type": "application/json" })
          .end('{"from":"other"}');
    }).listen(0, "127.0.0.1");
    await until("other listens", () => other.listening);
    const { port } = other.address() as AddressInfo;
    const database = await createDatabase();
    callerEnvironment = { ...database.environment, OTHER_URL: `http://127.0.0.1:${port}/` };
    caller = await startSample(callerEnvironment);
  });
  after(async () => {
    await caller.stop();
    other.closeAllConnections();
    other.close();
  });
  beforeEach(() => {
    responses = [];
    receivedIds.length = 0;
  });

  it("forwards the request id", async () => {
    const answer = await caller.json("/other", {
      headers: { "x-request-id": "across-services" },
    });
    assert.deepEqual(answer, { from: "other" });
    assert.deepEqual(receivedIds, ["across-services"]);
  });
  it("sends the token for the called service, and a new one without a restart", async () => {
    const { OTHER_TOKEN_FILE: file = "" } = callerFiles();
    receivedTokens.length = 0;
    try {
      await caller.fetch("/other");
      writeFileSync(file, "another\n");
      await caller.fetch("/other");
    } finally {
      writeFileSync(file, callerToken);
    }
    assert.deepEqual(receivedTokens, [`Bearer ${callerToken}`, "Bearer another"]);
  });
  it("sends no token if there is none", async () => {
    receivedTokens.length = 0;
    const alone = await startSample({ ...callerEnvironment, OTHER_TOKEN_FILE: "" });
    await alone.fetch("/other");
    await alone.stop();
    assert.deepEqual(receivedTokens, [undefined]);
  });
  it("retries a GET when an instance is unreachable", async () => {
    responses = ["disconnect", 503];
    assert.equal((await caller.fetch("/other")).status, 200);
    assert.equal(receivedIds.length, 3);
  });
  it("responds 503 when the service stays unreachable, and doesn't retry a 500", async () => {
    responses = ["disconnect", "disconnect", "disconnect"];
    const unreachable = await caller.fetch("/other");
    assert.equal(unreachable.status, 503);
    assert.equal(unreachable.headers.get("retry-after"), "1");
    responses = [500];
    assert.equal((await caller.fetch("/other")).status, 503);
    assert.equal(receivedIds.length, 4, "a 500 isn't retried");
  });
  it("responds 503 when the service limits the rate, without a retry", async () => {
    responses = [429];
    assert.equal((await caller.fetch("/other")).status, 503);
    assert.equal(receivedIds.length, 1);
  });
  it("gives up after its timeout, without a retry", async () => {
    responses = ["no response"];
    const impatient = await startSample({ ...callerEnvironment, OTHER_TIMEOUT_MS: "500" });
    const started = Date.now();
    assert.equal((await impatient.fetch("/other")).status, 503);
    const waited = Date.now() - started;
    assert.ok(waited >= 490 && waited < 10_000, `${waited} ms`);
    assert.equal(receivedIds.length, 1, "a timeout isn't retried");
    await impatient.waitForLog("the reason", ({ msg }) => /^other: .* 500 ms/.test(msg));
    await impatient.stop();
  });
  it("applies its timeout to the response body, and retries a truncated one", async () => {
    responses = ["stalled body"];
    const impatient = await startSample({ ...callerEnvironment, OTHER_TIMEOUT_MS: "500" });
    assert.equal((await impatient.fetch("/other")).status, 503);
    assert.equal(receivedIds.length, 1);
    await impatient.stop();
    responses = ["truncated body"];
    assert.deepEqual(await caller.json("/other"), { from: "other" });
    assert.equal(receivedIds.length, 3);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createDatabase, until, type TestDatabase } from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("shutdown", () => {
  let database: TestDatabase;

  before(async () => {
    database = await createDatabase();
  });

  const request = (agent: Agent, url: string) =>
    new Promise<{ status: number | undefined; connection: string | undefined }>(
      (resolve, reject) => {
        get(url, { agent }, (response) => {
          response.resume();
          response.once("end", () =>
            resolve({ status: response.statusCode, connection: response.headers.connection }),
          );
        }).once("error", reject);
      },
    );

  it("loses no request on SIGTERM and exits with 0", async () => {
    const stopping = await startSample({ ...database.environment, DRAIN_SECONDS: "8" });
    await stopping.ready();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const responses: { status: number | undefined; connection: string | undefined; at: number }[] =
      [];
    let routed = true;
    const clients = Array.from({ length: 8 }, async () => {
      while (routed)
        responses.push({ ...(await request(agent, `${stopping.url}/teapot`)), at: Date.now() });
    });
    await until("requests flow", () => responses.length > 100);

    const signalled = Date.now();
    const exit = stopping.stop("SIGTERM");
    // Like the gateway, the clients keep sending for a while after /readyz has failed.
    const notReady = async () => (await stopping.fetch("/readyz")).status === 503;
    await until("/readyz responds 503, long before the drain ends", notReady, 5);
    const noticed = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    routed = false;
    await Promise.all(clients);

    assert.equal(await exit, 0);
    assert.ok(Date.now() - signalled >= 8_000, "it drains for DRAIN_SECONDS");
    assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([418]));
    const late = responses.filter(({ at }) => at > noticed + 200);
    assert.ok(late.length > 20, `${late.length} responses while draining`);
    assert.deepEqual(new Set(late.map(({ connection }) => connection)), new Set(["close"]));
  });
  it("finishes requests that are in flight after the drain", async () => {
    const stopping = await startSample(database.environment);
    const slow = get(`${stopping.url}/slow`, { headers: { expect: "100-continue" } });
    const answer = once(slow, "response") as Promise<[IncomingMessage]>;
    // The service has received the request.
    await once(slow, "continue");
    const exit = stopping.stop("SIGTERM");
    await until("it no longer listens", () => refusesConnections(stopping.url));
    const [response] = await answer;
    assert.equal(await text(response), "done");
    assert.equal(await exit, 0);
  });
  it("skips the drain on SIGINT", async () => {
    const stopping = await startSample({ ...database.environment, DRAIN_SECONDS: "30" });
    const signalled = Date.now();
    assert.equal(await stopping.stop("SIGINT"), 0);
    assert.ok(Date.now() - signalled < 30_000);
  });
  it("exits with 1 and logs the error after an uncaught exception", async () => {
    const crashing = await startSample(database.environment);
    await crashing.fetch("/crash").catch(() => undefined);
    assert.equal(await crashing.exited, 1);
    assert.equal(crashing.log.at(-1)?.level, "fatal", JSON.stringify(crashing.log));
    assert.equal(crashing.log.at(-1)?.msg, "out of the blue");
  });
});

async function refusesConnections(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.once("error", () => resolve(true));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

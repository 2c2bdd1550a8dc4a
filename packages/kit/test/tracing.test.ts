import assert from "node:assert/strict";
import { TestCollector, createDatabase, type Span, type TestDatabase } from "./support/index.ts";
import { startSample } from "./support/sample.ts";
import { UNREACHABLE_URL } from "./support/service.ts";

describe("traces", () => {
  let database: TestDatabase;
  let collector: TestCollector;
  const start = (environment: Readonly<Record<string, string>>) =>
    startSample({ ...database.environment, ...environment });

  before(async () => {
    database = await createDatabase();
    collector = await TestCollector.start();
  });
  after(() => collector.stop());

  it("connect a request through two services to the database, without personal data", async () => {
    const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const called = await start(traces);
    const caller = await start({ ...traces, OTHER_URL: called.url });
    await Promise.all([called.ready(), caller.ready()]);
    const incoming = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
    const response = await caller.fetch("/other?email=jane@example.org", {
      headers: {
        "x-request-id": "follow-this-one",
        traceparent: `00-${incoming.trace}-${incoming.span}-01`,
      },
    });
    assert.deepEqual(await response.json(), { from: "other" });
    await caller.fetch("/bug");
    // A service sends its last spans before it ends.
    await Promise.all([caller.stop("SIGTERM"), called.stop("SIGTERM")]);

    const trace = collector.spans.filter(({ traceId }) => traceId === incoming.trace);
    const chain: Span[] = [];
    for (let parent = incoming.span; ;) {
      const next = trace.find(({ parentSpanId }) => parentSpanId === parent);
      if (next === undefined) break;
      chain.push(next);
      parent = next.spanId;
    }
    assert.equal(chain.length, trace.length, JSON.stringify(trace));
    const [SERVER, CLIENT] = [2, 3];
    assert.deepEqual(
      chain.map(({ kind, name, attributes }) => ({ kind, name, attributes })),
      [
        {
          kind: SERVER,
          name: "GET /other",
          attributes: {
            "http.request.method": "GET",
            "http.route": "/other",
            "store.request_id": "follow-this-one",
            "http.response.status_code": 200,
          },
        },
        {
          kind: CLIENT,
          name: "GET other",
          attributes: {
            "http.request.method": "GET",
            "server.address": "other",
            "http.response.status_code": 200,
          },
        },
        {
          kind: SERVER,
          name: "GET /things",
          attributes: {
            "http.request.method": "GET",
            "http.route": "/things",
            "store.request_id": "follow-this-one",
            "http.response.status_code": 200,
          },
        },
        {
          kind: CLIENT,
          name: "SELECT",
          attributes: {
            "db.system.name": "postgresql",
            "db.query.text": "SELECT $1::text AS email",
          },
        },
      ],
    );
    for (const { service } of chain) assert.deepEqual(service, ["sample", "1.2.3"]);

    const [bug] = collector.spans.filter(({ name }) => name === "GET /bug");
    assert.equal(bug?.attributes["http.response.status_code"], 500);
    assert.equal(bug.error, true);
    assert.doesNotMatch(collector.received, /jane@example|hunter2|readyz|127\.0\.0\.1/);
  });

  it("make no request fail while the endpoint is down, which is logged once", async () => {
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: UNREACHABLE_URL });
    await service.ready();
    const isWarning = ({ msg }: { msg: string }) => msg.startsWith("Traces can't be sent to ");
    for (let i = 0; i < 20; i++) assert.equal((await service.fetch("/things")).status, 200);
    await service.waitForLog("the warning", isWarning);
    for (let i = 0; i < 20; i++) assert.equal((await service.fetch("/things")).status, 200);
    const signalled = Date.now();
    assert.equal(await service.stop("SIGTERM"), 0);
    assert.ok(Date.now() - signalled < 15_000);
    assert.equal(service.log.filter(isWarning).length, 1);
  });

  it("require a valid endpoint URL", async () => {
    await assert.rejects(
      start({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }),
      /OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as/,
    );
  });
});

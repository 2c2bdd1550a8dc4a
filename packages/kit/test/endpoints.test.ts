import assert from "node:assert/strict";
import { createDatabase, type RunningService, type TestDatabase } from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("endpoints of every service", () => {
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
    await service.ready();
  });
  after(() => service.stop());

  it("report health, readiness and metrics", async () => {
    assert.deepEqual(await service.json("/healthz"), { status: "alive" });
    assert.deepEqual(await service.json("/readyz"), { status: "ready" });
    await service.fetch("/teapot");
    const metrics = await (await service.fetch("/metrics")).text();
    assert.match(
      metrics,
      /http_request_duration_seconds_count\{method="GET",route="\/teapot",status="418"\} \d/,
    );
    assert.match(metrics, /database_connections\{state="idle"\} \d/);
    assert.match(metrics, /^database_size_bytes \d{7}/m);
  });
  it("publish the OpenAPI document, without internal routes under /api", async () => {
    interface Document {
      readonly openapi: string;
      readonly info: { readonly version: string };
      readonly paths: Record<string, Record<string, { readonly responses: object }>>;
    }
    const complete = (await service.json("/openapi.json")) as Document;
    const published = (await service.json("/api/sample/openapi.json")) as Document;
    assert.equal(complete.openapi, "3.1.0");
    assert.equal(complete.info.version, "1.2.3");
    assert.ok(complete.paths["/internal/secret"] !== undefined);
    assert.equal(published.paths["/internal/secret"], undefined);
    assert.deepEqual(Object.keys(published.paths["/notes"]?.["post"]?.responses ?? {}), [
      "201",
      "4XX",
      "5XX",
    ]);
    assert.equal(published.paths["/healthz"], undefined);
    const { responses } = published.paths["/notes"]?.["post"] as {
      responses: Record<string, { headers: object }>;
    };
    assert.deepEqual(Object.keys(responses["4XX"]?.headers ?? {}), [
      ...["x-request-id", "allow", "retry-after", "www-authenticate"],
    ]);
    assert.deepEqual(Object.keys(responses["5XX"]?.headers ?? {}), [
      ...["x-request-id", "retry-after"],
    ]);
  });
  it("return the caller's request id, or a new one if it is missing or unsafe", async () => {
    const idFor = async (id?: string) =>
      (
        await service.fetch("/healthz", {
          headers: id === undefined ? {} : { "x-request-id": id },
        })
      ).headers.get("x-request-id");
    assert.equal(await idFor("abc-123_XYZ"), "abc-123_XYZ");
    assert.match((await idFor()) ?? "", /^[0-9a-f-]{36}$/);
    assert.match((await idFor('x" injected')) ?? "", /^[0-9a-f-]{36}$/);
  });
  it("log each request by its route, without path, query, address or health checks", async () => {
    await service.fetch("/teapot?email=jane@example.org", {
      headers: { "x-request-id": "log-me-please" },
    });
    await service.fetch("/nothing/jane@example.org");
    const line = await service.waitForLog(
      "the request",
      ({ requestId }) => requestId === "log-me-please",
    );
    assert.deepEqual(
      { ...line, time: "", ms: 0 },
      {
        level: "info",
        time: "",
        service: "sample",
        requestId: "log-me-please",
        method: "GET",
        route: "/teapot",
        status: 400,
        ms: 0,
        msg: "Request",
      },
    );
    const log = JSON.stringify(await service.flushedLog());
    assert.doesNotMatch(log, /jane@example|127\.0\.0\.1:\d+"?,"remote|\/healthz/);
  });
});

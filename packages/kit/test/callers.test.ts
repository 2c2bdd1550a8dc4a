import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import {
  callerEnvironment,
  callerToken,
  createDatabase,
  StartupError,
  UNREACHABLE_URL,
  type RunningService,
  type TestDatabase,
} from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("internal routes", () => {
  const { CALLERS_FILE: file = "" } = callerEnvironment();
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
  });
  after(() => service.stop());

  // Not by the service's own fetch, which adds the token.
  const request = (authorization?: string, method = "GET", path = "/internal/secret") =>
    fetch(service.url + path, {
      method,
      headers: authorization === undefined ? {} : { authorization },
    });

  it("admit the services that depend on this one, and log who called", async () => {
    assert.equal((await request(`Bearer ${callerToken}`)).status, 200);
    assert.equal((await request(`bearer  ${callerToken}`, "HEAD")).status, 200);
    const line = await service.waitForLog("the call", ({ caller }) => caller !== undefined);
    assert.deepEqual([line["caller"], line["route"]], ["test", "/internal/secret"]);
  });
  for (const [description, authorization] of [
    ["no token", undefined],
    ["another token", `Bearer ${"0".repeat(32)}`],
    ["the hash of the token", `Bearer ${createHash("sha256").update(callerToken).digest("hex")}`],
    ["the start of the token", `Bearer ${callerToken.slice(0, -1)}`],
    ["an empty token", "Bearer "],
    ["another scheme", `Basic ${callerToken}`],
  ] as const) {
    it(`respond 401 to ${description}`, async () => {
      for (const method of ["GET", "HEAD"]) {
        const response = await request(authorization, method);
        assert.equal(response.status, 401);
        assert.equal(response.headers.get("www-authenticate"), "Bearer");
        assert.ok(!(await response.text()).includes(callerToken));
      }
    });
  }
  it("respond 404 where there is no route, and leave other routes open", async () => {
    assert.equal((await request(undefined, "GET", "/internal/nothing")).status, 404);
    assert.equal((await request(undefined, "GET", "/openapi.json")).status, 200);
  });
  it("admit a new caller without a restart, and nobody while the file is empty", async () => {
    const callers = readFileSync(file, "utf8");
    const hash = createHash("sha256").update("another").digest("hex");
    try {
      writeFileSync(file, `${callers}reviews ${hash}\n`);
      assert.equal((await request("Bearer another")).status, 200);
      assert.equal((await request(`Bearer ${callerToken}`)).status, 200);
      writeFileSync(file, "");
      assert.equal((await request(`Bearer ${callerToken}`)).status, 401);
      assert.equal((await request("Bearer ")).status, 401);
    } finally {
      writeFileSync(file, callers);
    }
  });
  it("are marked in the complete OpenAPI document only", async () => {
    type Document = {
      paths: Record<string, Record<string, { security?: unknown }>>;
      components: { securitySchemes: Record<string, unknown> };
    };
    const complete = (await service.json("/openapi.json")) as Document;
    assert.deepEqual(complete.paths["/internal/secret"]?.["get"]?.security, [{ service: [] }]);
    assert.ok(complete.components.securitySchemes["service"]);
    const published = (await service.json("/api/sample/openapi.json")) as Document;
    assert.deepEqual(Object.keys(published.components.securitySchemes), ["staff"]);
  });
  it("keep a service from starting without the file of its callers", async () => {
    await assert.rejects(
      startSample({ ...database.environment, OTHER_URL: UNREACHABLE_URL, CALLERS_FILE: "" }),
      (error: unknown) =>
        error instanceof StartupError && /CALLERS_FILE is missing/.test(error.message),
    );
  });
});

describe("a client of internal routes", () => {
  it("takes a refused token for an outage, which a repetition may end", async () => {
    const database = await createDatabase();
    const called = await startSample(database.environment);
    const caller = await startSample({ ...database.environment, OTHER_URL: called.url });
    const { CALLERS_FILE: file = "" } = callerEnvironment();
    const callers = readFileSync(file, "utf8");
    const relay = () => caller.fetch("/relay");
    try {
      assert.equal((await relay()).status, 200);
      writeFileSync(file, "");
      assert.equal((await relay()).status, 503);
    } finally {
      writeFileSync(file, callers);
    }
    assert.equal((await relay()).status, 200);
    await caller.stop();
    await called.stop();
  });
});

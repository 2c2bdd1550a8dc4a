import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createDatabase, type RunningService, type TestDatabase } from "./support/index.ts";
import { sampleStaff as staff, startSample } from "./support/sample.ts";

describe("staff routes", function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
    await service.ready();
  });
  after(() => service.stop());

  const put = (authorization?: string, body = '{"id":1}') =>
    service.fetch("/staff", {
      method: "PUT",
      headers: {
        "content-type": "application/json",
        ...(authorization === undefined ? {} : { authorization }),
      },
      body,
    });

  it("admit requests with the staff token", async () => {
    assert.equal((await put(staff.headers.authorization)).status, 200);
    assert.equal((await put(`bearer  ${staff.token}`)).status, 200);
  });
  for (const [description, authorization] of [
    ["no token", undefined],
    ["another token", `Bearer ${"0".repeat(32)}`],
    ["the start of the token", `Bearer ${staff.token.slice(0, -1)}`],
    ["more than the token", `Bearer ${staff.token}0`],
    ["an empty token", "Bearer "],
    ["another scheme", `Basic ${staff.token}`],
  ] as const) {
    it(`respond 401 to ${description}, whatever the body`, async () => {
      for (const body of ['{"id":1}', "{"]) {
        const response = await put(authorization, body);
        assert.equal(response.status, 401);
        assert.equal(response.headers.get("www-authenticate"), "Bearer");
        assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
        assert.ok(!(await response.text()).includes(staff.token));
      }
    });
  }
  it("accept a new token without a restart, and no token while the file is empty", async () => {
    try {
      writeFileSync(staff.tokenFile, "another\n");
      assert.equal((await put("Bearer another")).status, 200);
      assert.equal((await put(staff.headers.authorization)).status, 401);
      writeFileSync(staff.tokenFile, "");
      assert.equal((await put("Bearer ")).status, 401);
    } finally {
      writeFileSync(staff.tokenFile, staff.token);
    }
  });
  it("are marked in the OpenAPI document, and their token isn't logged", async () => {
    const document = (await service.json("/api/sample/openapi.json")) as {
      paths: Record<string, Record<string, { security?: unknown }>>;
      components: { securitySchemes: Record<string, { type: string; scheme: string }> };
    };
    assert.deepEqual(document.paths["/staff"]?.["put"]?.security, [{ staff: [] }]);
    const { type, scheme } = document.components.securitySchemes["staff"] ?? {};
    assert.deepEqual({ type, scheme }, { type: "http", scheme: "bearer" });
    assert.ok(!JSON.stringify(await service.flushedLog()).includes(staff.token));
  });
});

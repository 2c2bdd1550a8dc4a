import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createDatabase, type RunningService, type TestDatabase } from "./support/index.ts";
import { sampleStaff as staff, startSample } from "./support/sample.ts";

describe("staff routes", () => {
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
  it("accept an added token and refuse a removed one without a restart", async () => {
    try {
      staff.admit({ [staff.name]: staff.token, ana: "token-of-ana" });
      assert.equal((await put("Bearer token-of-ana")).status, 200);
      assert.equal((await put(staff.headers.authorization)).status, 200);
      staff.admit({ ana: "token-of-ana" });
      assert.equal((await put(staff.headers.authorization)).status, 401);
      staff.admit({});
      assert.equal((await put("Bearer ")).status, 401);
      assert.equal((await put("Bearer token-of-ana")).status, 401);
    } finally {
      staff.admit();
    }
  });
  it("admit no hash in place of the token, which is all that the service has", async () => {
    const [, hash = ""] = readFileSync(staff.environment.STAFF_TOKENS_FILE, "utf8")
      .trim()
      .split(" ");
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.equal((await put(`Bearer ${hash}`)).status, 401);
  });
  it("log the name of the token, and not the token", async () => {
    const header = {
      authorization: staff.headers.authorization,
      "x-request-id": "names-the-clerk",
    };
    await service.fetch("/staff", {
      method: "PUT",
      headers: { ...header, "content-type": "application/json" },
      body: '{"id":1}',
    });
    const lines = (await service.flushedLog()).filter(
      ({ requestId }) => requestId === "names-the-clerk",
    );
    assert.deepEqual(
      lines.map((line) => line["staff"]),
      [staff.name],
    );
    assert.ok(!JSON.stringify(lines).includes(staff.token));
  });
  it("admit the token of STAFF_TOKEN_FILE in services from before there were several tokens", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "store-test-")), "STAFF_TOKEN");
    writeFileSync(file, "the-only-token\n");
    const old = await startSample({
      ...database.environment,
      STAFF_TOKENS_FILE: "",
      STAFF_TOKEN_FILE: file,
    });
    try {
      const send = (token: string) =>
        old.fetch("/staff", {
          method: "PUT",
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          body: '{"id":1}',
        });
      assert.equal((await send("the-only-token")).status, 200);
      assert.equal((await send("another")).status, 401);
    } finally {
      await old.stop();
      rmSync(dirname(file), { recursive: true });
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

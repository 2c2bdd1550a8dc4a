import assert from "node:assert/strict";
import {
  createDatabase,
  StartupError,
  type RunningService,
  type TestDatabase,
} from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("environment variables", () => {
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
    await service.ready();
  });
  after(() => service.stop());

  const startupError = async (environment: Readonly<Record<string, string>>) => {
    const error: unknown = await startSample({ ...database.environment, ...environment }).then(
      () => assert.fail("it started"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.exitCode, 1);
    assert.equal(error.lines.length, 1, `one line without a stack: ${error.message}`);
    return (JSON.parse(error.lines[0] ?? "") as { msg: string }).msg;
  };
  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: "" }, /PORT is missing/],
    [{ PORT: "http" }, /PORT must be an integer from 0 to 65535, not "http"/],
    [{ PORT: "70000" }, /PORT must be/],
    [{ PORT: "", LOG_LEVEL: "loud" }, /PORT is missing.*LOG_LEVEL must be one of .*not "loud"/],
    [{ DRAIN_SECONDS: "-1" }, /DRAIN_SECONDS must be/],
    [
      { DATABASE_HOST: "", DATABASE_USER: "" },
      /DATABASE_HOST is missing; DATABASE_USER is missing/,
    ],
    [{ DATABASE_PASSWORD_FILE: "" }, /DATABASE_PASSWORD_FILE is missing/],
    [
      { DATABASE_PASSWORD_FILE: "/nowhere" },
      /DATABASE_PASSWORD_FILE names a file that can't be read/,
    ],
    [{ OTHER_URL: "" }, /OTHER_URL is missing/],
    [{ STAFF_TOKENS_FILE: "" }, /STAFF_TOKENS_FILE is missing/],
    [{ STAFF_TOKENS_FILE: "/dev/null" }, /STAFF_TOKENS_FILE names a file without a token/],
    [{ OTHER_URL: "other:3000" }, /OTHER_URL must be a URL such as/],
    [{ HOST: "203.0.113.7" }, /HOST 203\.0\.113\.7/],
  ];
  for (const [environment, expected] of cases) {
    it(`ends the start with one line that names the variables for ${JSON.stringify(environment)}`, async () => {
      assert.match(await startupError(environment), expected);
    });
  }
  it("ends the start with one line when the port is in use", async () => {
    assert.match(await startupError({ PORT: new URL(service.url).port }), /PORT \d+ is in use/);
  });
});

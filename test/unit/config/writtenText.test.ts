import assert from "node:assert/strict";
import { join } from "node:path";
import { readStackFile, readValues } from "../../../config/values";
import { setMocks } from "../mocks";
import { resetConfig, setConfig } from "./stackConfig";

const ROOT = join(__dirname, "../../..");

/** Values as they are written, and as Pulumi 3.259.0 passes them on. */
const CHANGED: readonly (readonly [written: string, actual: unknown])[] = [
  ["1.10", 1.1],
  ["1.0", 1],
  ["1.", 1],
  ["0x1F", 31],
  ["0b11", 3],
  ["010", 8],
  ["0o10", 8],
  ["1e3", 1000],
  ["1_000", 1000],
  ["+5", 5],
  ["-0", 0],
  ["True", true],
  ["12345678901234567", 12345678901234568],
  ["123456789012345678901234567890", 1.2345678901234568e29],
  ["2024-01-01", "2024-01-01 00:00:00 +0000 UTC"],
  ["2024-01-01T10:00:00Z", "2024-01-01 10:00:00 +0000 UTC"],
];

const UNCHANGED: readonly (readonly [written: string, actual: unknown])[] = [
  ["30", 30],
  ["0.5", 0.5],
  ["-5", -5],
  ["true", true],
  ["yes", "yes"],
  ["on", "on"],
  ["12:30:45", "12:30:45"],
  ['"1.10"', "1.10"],
  ["'0x1F'", "0x1F"],
  ['""', ""],
  ["some text with 1.10 in it", "some text with 1.10 in it"],
];

describe("values of the stack's file", () => {
  before(setMocks);
  afterEach(resetConfig);

  /** Mistakes of a file with one variable that Pulumi passes on as `actual`. */
  function mistakesOf(written: string, actual: unknown): string[] {
    setConfig({ environment: { orders: { NAME: actual } } });
    const text = `config:\n  store:environment:\n    orders:\n      NAME: ${written}\n`;
    const { mistakes } = readValues(["orders"], { name: "Pulumi.dev.yaml", text });
    return mistakes.map(({ key, problem }) => `${key}: ${problem}`);
  }

  for (const [written, actual] of CHANGED) {
    it(`are refused with their line if they aren't passed on as written: ${written}`, () => {
      assert.deepEqual(mistakesOf(written, actual), [
        `environment.orders.NAME: ${written} (Pulumi.dev.yaml, line 4) has no quotes, so YAML turns it into ${String(actual)}. Put it in quotes: "${written}".`,
      ]);
    });
  }

  it("are shown with the file of --config-file, not with the engine's copy", () => {
    const copy = { PULUMI_OPTION_CONFIG_FILE: join(ROOT, "Pulumi.dev.yaml") };
    assert.equal(readStackFile({ ...copy, STORE_CONFIG_FILE: "/tmp/x.yaml" })?.name, "/tmp/x.yaml");
    assert.equal(readStackFile(copy)?.name, "Pulumi.dev.yaml");
  });

  it("are accepted if they are passed on as written", () => {
    for (const [written, actual] of UNCHANGED) {
      assert.deepEqual(mistakesOf(written, actual), [], written);
    }
  });

  it("are compared with the values of the same file only", () => {
    assert.deepEqual(mistakesOf("1.10", "another file's"), []);
  });

  it("are refused in each key with text, in lists of YAML's short form, and behind aliases", () => {
    setConfig({
      owner: "7",
      dockerVersion: "20.1",
      httpPort: 8080,
      environment: { orders: { A: 1.1 }, billing: { A: 1.1 } },
      adminCidrs: [10.1],
    });
    const text = `config:
  owner: 007
  store:dockerVersion: 20.10
  store:httpPort: 0x1F90
  store:environment: {orders: &same {A: 1.10}, billing: *same}
  store:adminCidrs: [10.10]
`;
    const { mistakes } = readValues(["orders", "billing"], { name: "f", text });
    assert.deepEqual(mistakes.map(({ key }) => key).sort(), [
      "adminCidrs.0",
      "dockerVersion",
      "environment.billing.A",
      "environment.orders.A",
      "owner",
    ]);
  });

  it("aren't shown if they may be secret", () => {
    setConfig({
      registry: { username: 1.1, password: 31 },
      secrets: { orders: { PIN: 8 } },
    });
    const text = `config:
  store:registry: {username: 1.10, password: 0x1F}
  store:secrets: {orders: {PIN: 010}}
`;
    const { mistakes } = readValues(["orders"], { name: "f", text });
    assert.deepEqual(
      mistakes.map(({ key, problem }) => [key, /1\.10|0x1F|31|010|8/.exec(problem)?.[0]]),
      [
        ["registry.username", "1.10"],
        ["registry.password", undefined],
        ["secrets.orders.PIN", undefined],
      ],
    );
  });

  it("are refused in a key with a number only if they are octal", () => {
    setConfig({ dataDiskGiB: 8, httpPort: 8080 });
    const text = "config:\n  store:dataDiskGiB: 010\n  store:httpPort: 8_080\n";
    const { mistakes } = readValues([], { name: "f", text });
    assert.deepEqual(
      mistakes.map(({ key }) => key),
      ["dataDiskGiB"],
    );
  });
});

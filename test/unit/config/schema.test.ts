import assert from "node:assert/strict";
import { getDefaults } from "valibot";
import { parse } from "yaml";
import { configSchema } from "../../../config/schema";
import { readText } from "../../../scripts/configurationTable";

interface Key {
  readonly type: string;
  readonly default: unknown;
  readonly description?: string;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? "integer" : typeof value;
}

describe("the config block of Pulumi.yaml", () => {
  const { config } = parse(readText("Pulumi.yaml")) as { config: Record<string, Key> };

  it("has the keys, types and defaults of the schema", () => {
    assert.deepEqual(
      Object.entries(config).map(([key, { type, default: value }]) => [key, type, value]),
      Object.entries(getDefaults(configSchema([]))).map(([key, value]) => [
        `store:${key}`,
        typeOf(value),
        value,
      ]),
    );
  });

  it("describes each key in a phrase without a full stop at its end", () => {
    for (const [key, { description = "" }] of Object.entries(config))
      assert.match(description, /^[A-Z].{10,}[^.]$/, key);
  });
});

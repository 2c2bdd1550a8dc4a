import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { ConfigSchema } from "../../../config/schema";
import { readText } from "../../../scripts/configurationTable";

interface Key {
  readonly type?: unknown;
  readonly items?: { readonly type?: unknown };
  readonly default?: unknown;
  readonly description?: string;
}

/** The properties that the schema and Pulumi.yaml have in common. */
function comparable({ type, items, default: value }: Key): Key {
  return { type, ...(items && { items: { type: items.type } }), default: value };
}

function mapValues<T, U>(object: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

describe("the config block of Pulumi.yaml", () => {
  const { config } = parse(readText("Pulumi.yaml")) as { config: Record<string, Key> };

  it("has the keys, types and defaults of the schema", () => {
    const schema = z.toJSONSchema(ConfigSchema, { io: "input" }).properties as Record<string, Key>;
    const prefixed = Object.fromEntries(
      Object.entries(schema).map(([key, value]) => [`store:${key}`, value]),
    );
    assert.deepEqual(mapValues(config, comparable), mapValues(prefixed, comparable));
  });

  it("describes each key in a phrase without a full stop at its end", () => {
    for (const [key, { description = "" }] of Object.entries(config))
      assert.match(description, /^[A-Z].{10,}[^.]$/, key);
  });
});

import fc from "fast-check";
import type { Schema } from "./document.ts";

/** Values that exist in the service, by the name of the field or parameter that accepts them. */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** Generates values that a schema allows: mostly known values if there are any, otherwise any value, with a bias to the limits. */
export function valuesOf(schema: Schema, known: KnownValues, name = ""): fc.Arbitrary<unknown> {
  const found = known[name];
  const any = anyOf(schema, known, name);
  return found === undefined || found.length === 0
    ? any
    : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...found) }, { weight: 1, arbitrary: any });
}

function anyOf(schema: Schema, known: KnownValues, name: string): fc.Arbitrary<unknown> {
  const alternatives = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(alternatives)) {
    return fc.oneof(...alternatives.map((one) => valuesOf(one as Schema, known, name)));
  }
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  if ("const" in schema) return fc.constant(schema["const"]);
  switch (schema["type"]) {
    case "object":
      return objects(schema, known);
    case "array":
      return fc.array(valuesOf(schema["items"] as Schema, known, name), {
        minLength: Number(schema["minItems"] ?? 0),
        maxLength: Math.min(Number(schema["maxItems"] ?? 5), 5),
      });
    case "integer":
      return integers(schema);
    case "string":
      return strings(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      throw new Error(`Can't generate values for the schema ${JSON.stringify(schema)}`);
  }
}

function objects(schema: Schema, known: KnownValues): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, Schema>);
  return fc.record(
    Object.fromEntries(properties.map(([name, one]) => [name, valuesOf(one, known, name)])),
    { requiredKeys: (schema["required"] ?? []) as string[], noNullPrototype: true },
  );
}

function integers(schema: Schema): fc.Arbitrary<number> {
  const min = Number(schema["minimum"] ?? Number.MIN_SAFE_INTEGER);
  const max = Number(schema["maximum"] ?? Number.MAX_SAFE_INTEGER);
  const few = fc.integer({ min, max: Math.min(max, min + 3) });
  return fc.oneof(
    { weight: 3, arbitrary: few },
    fc.integer({ min, max }),
    fc.constantFrom(min, max),
  );
}

function strings(schema: Schema): fc.Arbitrary<string> {
  const minLength = Number(schema["minLength"] ?? 0);
  const maxLength = Number(schema["maxLength"] ?? 300);
  const pattern = typeof schema["pattern"] === "string" ? new RegExp(schema["pattern"], "u") : /^/u;
  const fits = (text: string) => {
    // JSON Schema counts code points.
    const { length } = Array.from(text);
    return length >= minLength && length <= maxLength && pattern.test(text);
  };
  if (schema["format"] === "email") return fc.emailAddress().filter(fits);
  if (schema["format"] === "date-time") {
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  }
  const longest = "x".repeat(maxLength);
  return fc.oneof(
    { weight: 6, arbitrary: matching(pattern, maxLength).filter(fits) },
    ...(fits(longest) ? [fc.constant(longest)] : []),
  );
}

function matching(pattern: RegExp, maxLength: number): fc.Arbitrary<string> {
  // fast-check can't generate strings for lookaheads and character classes.
  return /\(\?|\\p/.test(pattern.source) || pattern.source === "^"
    ? fc.string({ unit: "grapheme", maxLength: Math.min(maxLength, 30) })
    : fc.stringMatching(pattern, { size: "small" });
}

/** Values that hardly any field accepts. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, 0, -1, 1.5, -0.1, 1e12, 2 ** 31, 2 ** 53, 1e308, -1e308, 5e-324],
    ...["", " ", "\0", "\u{1f3fa}", "\ud800", "\udc00x", "é", "é", "\u202e", "\ufeff", "null", "1"],
    ...[
      "%00",
      "../../etc/passwd",
      "' OR 1=1 --",
      "<script>",
      "${jndi}",
      "\r\nx: y",
      "x".repeat(10_000),
    ],
    ...[[], {}, [[]], [null], { toString: 1 }, { $ref: "#" }, Array(1_000).fill(0)],
  ),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 3 }),
);

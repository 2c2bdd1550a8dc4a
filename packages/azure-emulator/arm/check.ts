import { Field, Fields, objectFields, Shape } from "./schema";
import { isList, isObject, Properties, UNKNOWN, Value } from "./values";

/** A validation error of one property. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
  readonly kind: "missing" | "unknown" | "type" | "value";
}

/**
 * Validates names, types and required properties recursively. Enum values aren't validated, because ARM does that later (see
 * `checkWords`). Unknown values are valid.
 */
export function checkShape(properties: Properties, fields: Fields, path = ""): Problem[] {
  const inner = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const missing = [...fields]
    .filter(([name, field]) => field.required && properties[name] === undefined)
    .map(([name]) => ({ path: inner(name), reason: "is required", kind: "missing" as const }));
  const wrong = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : checkProperty(value, fields.get(name), inner(name), fields),
  );
  return [...missing, ...wrong];
}

function checkProperty(
  value: Value,
  field: Field | undefined,
  path: string,
  siblings: Fields,
): Problem[] {
  if (field === undefined) {
    return [
      {
        path,
        reason: `is not a property; the properties are: ${[...siblings.keys()].sort().join(", ")}`,
        kind: "unknown",
      },
    ];
  }
  return checkValue(value, field.shape, path);
}

function checkValue(value: Value, shape: Shape, path: string): Problem[] {
  if (value === UNKNOWN) return [];
  switch (shape.kind) {
    case "any":
      return [];
    case "string":
    case "number":
    case "boolean":
      return typeof value === shape.kind ? [] : [mismatch(value, `a ${shape.kind}`, path)];
    case "list":
      return isList(value)
        ? value.flatMap((element, i) => checkValue(element, shape.of, `${path}[${i}]`))
        : [mismatch(value, "a list", path)];
    case "map":
      return isObject(value)
        ? Object.entries(value).flatMap(([name, element]) =>
            element === undefined ? [] : checkValue(element, shape.of, `${path}.${name}`),
          )
        : [mismatch(value, "an object", path)];
    case "object":
      return isObject(value)
        ? checkShape(value, objectFields(shape), path)
        : [mismatch(value, "an object", path)];
  }
}

function mismatch(value: Value, wanted: string, path: string): Problem {
  const got = isList(value) ? "a list" : isObject(value) ? "an object" : JSON.stringify(value);
  return { path, reason: `should be ${wanted}, got ${got}`, kind: "type" };
}

interface WordOptions {
  /** Compare with the case of the letters, which ARM ignores. @default false */
  readonly exactCase?: boolean;
}

/**
 * Returns the first string that isn't a value of its enum. Like ARM, ignores case.
 *
 * @param open Paths of enums for which Azure accepts more values than the npm package lists.
 */
export function checkWords(
  properties: Properties,
  fields: Fields,
  open: readonly string[],
  options: WordOptions = {},
): WrongWord | undefined {
  return wrongWord(properties, fields, { open, ...options }, "");
}

type WrongWord = Problem & { readonly words: readonly string[] };
type Search = WordOptions & { readonly open: readonly string[] };

function wrongWord(
  properties: Properties,
  fields: Fields,
  search: Search,
  path: string,
): WrongWord | undefined {
  for (const [name, value] of Object.entries(properties)) {
    const field = fields.get(name);
    if (value === undefined || field === undefined) continue;
    const inner = path === "" ? name : `${path}.${name}`;
    const wrong = wrongWordOf(value, field.shape, search, inner);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function wrongWordOf(
  value: Value,
  shape: Shape,
  search: Search,
  path: string,
): WrongWord | undefined {
  if (shape.kind === "object" && isObject(value))
    return wrongWord(value, objectFields(shape), search, path);
  if (shape.kind === "list" && isList(value)) {
    return value
      .map((element) => wrongWordOf(element, shape.of, search, path))
      .find((wrong) => wrong !== undefined);
  }
  if (shape.kind !== "string" || shape.words === undefined || typeof value !== "string")
    return undefined;
  const { words } = shape;
  const { open, exactCase } = search;
  const fits = words.some((word) =>
    exactCase === true ? word === value : word.toLowerCase() === value.toLowerCase(),
  );
  return fits || open.includes(path)
    ? undefined
    : { path, reason: `"${value}" is none of ${words.join(", ")}`, kind: "value", words };
}

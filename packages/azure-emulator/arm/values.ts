/** A property value in the engine's protocol. */
export type Value = null | boolean | number | string | readonly Value[] | Properties;

export interface Properties {
  readonly [name: string]: Value | undefined;
}

/** Placeholder of the engine's protocol for an unknown value. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !isList(value);
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** Returns the value at a path, for example "osProfile.linuxConfiguration.ssh.publicKeys.0.keyData". */
export function at(properties: Value | undefined, path: string): Value | undefined {
  let value = properties;
  for (const step of path.split(".")) {
    if (isList(value)) value = value[Number(step)];
    else if (isObject(value)) value = value[step];
    else return undefined;
  }
  return value;
}

/** Returns the string at a path, or an empty string. */
export function textAt(properties: Value | undefined, path: string): string {
  const value = at(properties, path);
  return typeof value === "string" ? value : "";
}

/** Returns the list at a path, or an empty list. */
export function listAt(properties: Value | undefined, path: string): readonly Value[] {
  const value = at(properties, path);
  return isList(value) ? value : [];
}

export function hasUnknowns(value: Value | undefined): boolean {
  if (isList(value)) return value.some(hasUnknowns);
  if (isObject(value)) return Object.values(value).some(hasUnknowns);
  return value === UNKNOWN;
}

/** Returns the properties without nulls, which mean "not set". */
export function given(value: Properties): Properties {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      inner === null || inner === undefined ? [] : [[name, clean(inner)]],
    ),
  );
}

function clean(value: Value): Value {
  if (isList(value)) return value.map(clean);
  return isObject(value) ? given(value) : value;
}

/** Compares two values; the order of an object's keys doesn't matter. */
export function same(a: Value | undefined, b: Value | undefined): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: Value | undefined): Value | undefined {
  if (isList(value)) return value.map((inner) => sorted(inner) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name])]),
  );
}

/** Returns the values of several objects, those of later ones first. Objects are merged, and lists of objects element by element. */
export function merged(...layers: readonly Properties[]): Properties {
  return layers.reduce((under, over) => mergedObjects(under, over), {});
}

function mergedObjects(under: Properties, over: Properties): Properties {
  const names = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries(
    [...names].map((name) => [name, mergedValues(under[name], over[name])]),
  );
}

function mergedValues(under: Value | undefined, over: Value | undefined): Value | undefined {
  if (isObject(under) && isObject(over)) return mergedObjects(under, over);
  if (isList(under) && isList(over) && under.length === over.length)
    return over.map((value, i) => mergedValues(under[i], value) ?? null);
  return over ?? under;
}

/** Returns the properties without the value at a path, for example "osProfile.customData". */
export function without(properties: Properties, path: string): Properties {
  return withoutIn(properties, path.split(".")) as Properties;
}

function withoutIn(value: Value | undefined, [step = "", ...rest]: string[]): Value | undefined {
  if (isList(value)) {
    return value.map((inner, i) => (i === Number(step) ? (withoutIn(inner, rest) ?? null) : inner));
  }
  if (!isObject(value)) return value;
  const { [step]: found, ...others } = value;
  return rest.length === 0 || found === undefined
    ? others
    : { ...others, [step]: withoutIn(found, rest) };
}

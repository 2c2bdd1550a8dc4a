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

/** Returns the paths at which two values differ, in the engine's syntax: tags.owner, securityRules[1].priority. */
export function differences(before: Value | undefined, after: Value | undefined): string[] {
  return differ(before, after, "");
}

function differ(before: Value | undefined, after: Value | undefined, path: string): string[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      differ(before[name], after[name], path === "" ? name : `${path}.${name}`),
    );
  }
  if (isList(before) && isList(after) && before.length === after.length) {
    return before.flatMap((value, i) => differ(value, after[i], `${path}[${i}]`));
  }
  return same(before, after) ? [] : [path];
}

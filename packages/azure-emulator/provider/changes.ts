import { isList, isObject, Properties, same, Value } from "../arm/values";

/** A changed input, as the published provider reports it. */
export interface Change {
  /** Path in the engine's syntax: tags.owner, securityRules[1].priority. An added or removed object is one change. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** The change replaces the resource. */
  readonly replaces: boolean;
}

/**
 * Returns the differences between two sets of inputs.
 *
 * @param replacedOn Paths whose change replaces the resource. An update within them does, too.
 */
export function changesBetween(
  before: Properties,
  after: Properties,
  replacedOn: readonly string[],
): Change[] {
  return objectChanges(before, after, "").map(({ path, kind }) => {
    const [whole, ...parents] = pathsOf(path);
    const replaces =
      replacedOn.includes(whole) ||
      (kind === "update" && parents.some((parent) => replacedOn.includes(parent)));
    return { path, kind, replaces };
  });
}

type Difference = Pick<Change, "path" | "kind">;

function objectChanges(before: Properties, after: Properties, path: string): Difference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) =>
    valueChanges(before[name], after[name], path === "" ? name : `${path}.${name}`),
  );
}

function valueChanges(
  before: Value | undefined,
  after: Value | undefined,
  path: string,
): Difference[] {
  if (same(before, after) || isSameLocation(path, before, after)) return [];
  if (before === undefined) return [{ path, kind: "add" }];
  if (after === undefined) return [{ path, kind: "delete" }];
  if (isObject(before) && isObject(after)) return objectChanges(before, after, path);
  if (isList(before) && isList(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, i) =>
      valueChanges(before[i], after[i], `${path}[${i}]`),
    ).flat();
  }
  return [{ path, kind: "update" }];
}

/** Compares locations, in which case and spaces don't count: "Australia East" is australiaeast. */
function isSameLocation(
  path: string,
  before: Value | undefined,
  after: Value | undefined,
): boolean {
  const [a, b] = [before, after].map((value) =>
    typeof value === "string" ? value.toLowerCase().replaceAll(" ", "") : undefined,
  );
  return path === "location" && a !== undefined && a === b;
}

/** Returns a path and its parents without indexes: rules[1].priority, rules[]. */
function pathsOf(path: string): [string, ...string[]] {
  const plain = path.replaceAll(/\[\d+\]/g, "[]");
  const parents: string[] = [];
  for (let end = plain.lastIndexOf("."); end > 0; end = plain.lastIndexOf(".", end - 1))
    parents.push(plain.slice(0, end));
  return [plain, ...parents];
}

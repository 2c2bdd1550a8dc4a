import fc from "fast-check";

/** The keys and indexes that lead to a place in a JSON value. */
export type Place = readonly (string | number)[];

/** Generates a place in a JSON value. */
export function places(value: unknown): fc.Arbitrary<Place> {
  return fc.constantFrom(...placesIn(value));
}

/** Returns all places in a JSON value, the root first. */
export function placesIn(value: unknown): Place[] {
  const found: Place[] = [];
  const walk = (at: unknown, place: Place): void => {
    found.push(place);
    if (typeof at !== "object" || at === null) return;
    for (const [key, inner] of Object.entries(at)) {
      walk(inner, [...place, Array.isArray(at) ? Number(key) : key]);
    }
  };
  walk(value, []);
  return found;
}

export function replaceAt(value: unknown, place: Place, change: (at: unknown) => unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((inner: unknown, at) => (at === key ? replaceAt(inner, rest, change) : inner));
  }
  return withField(value, String(key), replaceAt(Reflect.get(value as object, key), rest, change));
}

export function without(parent: unknown, key: string | number | undefined): unknown {
  if (Array.isArray(parent)) return parent.filter((_inner, at) => at !== key);
  return Object.fromEntries(Object.entries(parent as object).filter(([name]) => name !== key));
}

/** Adds a field to an object. Works for the name __proto__, too. */
export function withField(at: unknown, name: string, value: unknown): unknown {
  if (typeof at !== "object" || at === null || Array.isArray(at)) return at;
  return Object.fromEntries([
    ...Object.entries(at).filter(([other]) => other !== name),
    [name, value],
  ]);
}

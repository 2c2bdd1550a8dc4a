import fc from "fast-check";
import type { Operation, Parameter } from "./document.ts";
import { junk, valuesOf, type KnownValues } from "./values.ts";

/** A request before it is encoded. */
export interface Draft {
  /** Values of the path parameters, before percent-encoding. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body; `undefined` if there is none. */
  readonly body: unknown;
}

/** An encoded request. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** A request with the draft from which it was made. */
export interface Case {
  readonly sent: Sent;
  /** `undefined` if the encoded request was mutated, so that the document doesn't determine the response. */
  readonly draft: Draft | undefined;
  /** Description of the mutation. */
  readonly mutation: string;
}

/** Generates requests that the document allows. */
export function drafts(operation: Operation, known: KnownValues): fc.Arbitrary<Draft> {
  const of = (where: Parameter["in"]) =>
    operation.parameters.filter((parameter) => parameter.in === where);
  const values = (where: Parameter["in"]) =>
    fc.record(
      Object.fromEntries(
        of(where).map(({ name, schema }) => [
          name,
          valuesOf(schema, known, name).map((value) => String(value)),
        ]),
      ),
      {
        requiredKeys: of(where)
          .filter(({ required }) => required === true)
          .map(({ name }) => name),
        noNullPrototype: true,
      },
    ) as fc.Arbitrary<Record<string, string>>;
  return fc.record({
    path: values("path"),
    query: values("query").map((query) => Object.entries(query)),
    headers: values("header").map((headers) =>
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, sendable(value)])),
    ),
    body: operation.body === undefined ? fc.constant(undefined) : valuesOf(operation.body, known),
  });
}

/** Returns the characters of a text that a header may contain. */
function sendable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, "") || "x";
}

/** Generates requests that the document allows, and requests with one mutation. */
export function cases(operation: Operation, known: KnownValues, token: string): fc.Arbitrary<Case> {
  const draft = drafts(operation, known);
  const plain = (given: Draft, mutation: string): Case => caseOf(operation, given, token, mutation);
  const mutatedDrafts = draftMutations(operation).map(([mutation, change]) =>
    draft.chain((given) => change(given).map((changed) => plain(changed, mutation))),
  );
  const mutatedBytes = byteMutations(operation).map(([mutation, change]) =>
    draft.chain((given) =>
      change(encode(operation, given, token)).map((sent) => ({ sent, draft: undefined, mutation })),
    ),
  );
  return fc.oneof(
    { weight: 6, arbitrary: documented(operation, known, token) },
    ...mutatedDrafts.map((arbitrary) => ({ weight: 2, arbitrary })),
    ...mutatedBytes.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
}

/** Generates only requests that the document allows. */
export function documented(
  operation: Operation,
  known: KnownValues,
  token: string,
): fc.Arbitrary<Case> {
  return drafts(operation, known).map((given) => caseOf(operation, given, token, "as documented"));
}

function caseOf(operation: Operation, draft: Draft, token: string, mutation: string): Case {
  return { sent: encode(operation, draft, token), draft, mutation };
}

type Mutation<T> = readonly [name: string, change: (given: T) => fc.Arbitrary<T>];

/** Mutations of a draft. The document determines whether the mutated request is valid. */
function draftMutations({ parameters, body }: Operation): Mutation<Draft>[] {
  const text = junk.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  const has = (where: Parameter["in"]) => parameters.some((parameter) => parameter.in === where);
  const names = (where: Parameter["in"]) =>
    fc.constantFrom(...parameters.filter((one) => one.in === where).map(({ name }) => name));
  const all: (Mutation<Draft> | false)[] = [
    has("path") && [
      "another value in the path",
      (given) =>
        fc
          // Longer values exceed Fastify's limit, and "." and ".." change the path.
          .tuple(
            names("path"),
            text.filter((value) => value.length <= 60 && !/^\.{0,2}$/.test(value)),
          )
          .map(([name, value]) => ({ ...given, path: { ...given.path, [name]: value } })),
    ],
    has("query") && [
      "another value in the query",
      (given) =>
        fc.tuple(names("query"), text).map(([name, value]) => ({
          ...given,
          query: [...given.query.filter(([other]) => other !== name), [name, value]],
        })),
    ],
    has("query") && [
      "a parameter of the query twice",
      (given) =>
        names("query").map((name) => ({
          ...given,
          query: [...given.query, [name, "1"], [name, "2"]],
        })),
    ],
    [
      "an unknown parameter in the query",
      (given) =>
        fc.constantFrom("limt", "Limit", "utm_source", "constructor").map((name) => ({
          ...given,
          query: [...given.query, [name, "5"]],
        })),
    ],
    has("header") && [
      "another value in a header",
      (given) =>
        fc
          .tuple(names("header"), text)
          // Other values can't be sent in a header.
          .filter(([, value]) => /^[\x20-\x7e]{1,2000}$/.test(value) && value.trim() === value)
          .map(([name, value]) => ({ ...given, headers: { ...given.headers, [name]: value } })),
    ],
    has("header") && [
      "a header left out",
      (given) =>
        names("header").map((name) => ({
          ...given,
          headers: Object.fromEntries(
            Object.entries(given.headers).filter(([other]) => other !== name),
          ),
        })),
    ],
    body !== undefined && [
      "another value in the body",
      (given) =>
        fc.tuple(places(given.body), junk).map(([place, value]) => ({
          ...given,
          body: replaceAt(given.body, place, () => value),
        })),
    ],
    body !== undefined && [
      "a part of the body left out",
      (given) => {
        const parts = placesIn(given.body).filter((place) => place.length > 0);
        // An empty body has no parts.
        if (parts.length === 0) return fc.constant(given);
        return fc.constantFrom(...parts).map((place) => ({
          ...given,
          body: replaceAt(given.body, place.slice(0, -1), (parent) =>
            without(parent, place.at(-1)),
          ),
        }));
      },
    ],
    body !== undefined && [
      "an unknown field in the body",
      (given) =>
        fc
          .tuple(places(given.body), fc.constantFrom("extra", "__proto__", "constructor", ""), junk)
          .map(([place, name, value]) => ({
            ...given,
            body: replaceAt(given.body, place, (at) => withField(at, name, value)),
          })),
    ],
    body !== undefined && [
      "a list in the body made long",
      (given) =>
        fc.tuple(places(given.body), fc.constantFrom(2, 60, 500)).map(([place, times]) => ({
          ...given,
          body: replaceAt(given.body, place, (at) =>
            Array.isArray(at) ? Array.from({ length: times }, () => at as unknown[]).flat() : at,
          ),
        })),
    ],
  ];
  return all.filter((mutation) => mutation !== false);
}

/** Mutations of the encoded request, which must be rejected or handled as the request that it has become. */
function byteMutations({ methods, parameters, body, forStaff }: Operation): Mutation<Sent>[] {
  const header = (given: Sent, changes: Record<string, string | undefined>): Sent => ({
    ...given,
    headers: Object.fromEntries(
      Object.entries({ ...given.headers, ...changes }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
  });
  const bytes = (given: Sent, change: (body: Buffer) => Buffer): Sent => ({
    ...header(given, { "content-type": given.headers["content-type"] ?? "application/json" }),
    body: change(given.body ?? Buffer.from("{}")),
  });
  const all: (Mutation<Sent> | false)[] = [
    [
      "another method",
      (given) =>
        fc
          .constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
          .filter((method) => !methods.includes(method))
          .map((method) => ({ ...given, method })),
    ],
    parameters.some((parameter) => parameter.in === "path") && [
      "a malformed path",
      (given) =>
        fc
          .constantFrom(
            "%",
            "%ff",
            "%00",
            "%2e%2e%2f",
            "..",
            "%c0%ae",
            "x".repeat(500),
            "",
            "//",
            ";a=b",
            "a%0d%0ab",
          )
          .map((piece) => ({ ...given, path: given.path.replace(/[^/?]+(?=\?|$)/, piece) })),
    ],
    [
      "a malformed query",
      (given) =>
        fc
          .constantFrom(
            "?%",
            "?%ff=%ff",
            "?a[]=1&a[b]=2",
            "?__proto__=1",
            "?=&&&=",
            "?%00",
            `?${"a=1&".repeat(500)}`,
          )
          .map((query) => ({ ...given, path: given.path.replace(/\?.*$|$/, query) })),
    ],
    forStaff && [
      "without the staff token",
      (given) => fc.constant(header(given, { authorization: undefined })),
    ],
    forStaff && [
      "with a wrong token",
      (given) =>
        fc
          .constantFrom(
            "Bearer",
            "Bearer x",
            "Basic eDp4",
            "Bearer \u00ff",
            `Bearer ${"x".repeat(5_000)}`,
          )
          .map((authorization) => header(given, { authorization })),
    ],
    body !== undefined && [
      "another content type",
      (given) =>
        fc
          .constantFrom(
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/xml",
            "x",
            undefined,
          )
          .map((type) => header(given, { "content-type": type })),
    ],
    body !== undefined && [
      "invalid UTF-8",
      (given) =>
        fc
          .tuple(
            fc.nat(),
            fc.constantFrom(
              [0xff],
              [0xc3, 0x28],
              [0xed, 0xa0, 0x80],
              [0xf8, 0x88, 0x80, 0x80, 0x80],
            ),
          )
          .map(([at, wrong]) =>
            bytes(given, (text) => {
              const place = at % text.length;
              return Buffer.concat([
                text.subarray(0, place),
                Buffer.from(wrong),
                text.subarray(place),
              ]);
            }),
          ),
    ],
    body !== undefined && [
      "no JSON",
      (given) =>
        fc
          .constantFrom(
            "",
            " ",
            "{",
            '{"a":1,}',
            "{'a':1}",
            "NaN",
            "[1e999]",
            '{"a":01}',
            '"\t"',
            "{\ufeff}",
            "null null",
            "[".repeat(20_000),
          )
          .map((text) => bytes(given, () => Buffer.from(text))),
    ],
    body !== undefined && [
      "truncated",
      (given) => fc.nat().map((at) => bytes(given, (text) => text.subarray(0, at % text.length))),
    ],
    body !== undefined && [
      "a body over the limit",
      (given) =>
        fc.constant(bytes(given, () => Buffer.from(JSON.stringify({ a: "x".repeat(2_000_000) })))),
    ],
  ];
  return all.filter((mutation) => mutation !== false);
}

function encode({ method, path, forStaff }: Operation, draft: Draft, token: string): Sent {
  const query = new URLSearchParams(
    draft.query.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(Buffer.from(draft.path[name] ?? "").toString()),
  );
  return {
    method,
    path: query === "" ? filled : `${filled}?${query}`,
    headers: {
      ...(forStaff ? { authorization: `Bearer ${token}` } : {}),
      ...(draft.body === undefined ? {} : { "content-type": "application/json" }),
      ...draft.headers,
    },
    body: draft.body === undefined ? undefined : Buffer.from(JSON.stringify(draft.body)),
  };
}

type Place = readonly (string | number)[];

/** Generates a place in a JSON value. */
function places(value: unknown): fc.Arbitrary<Place> {
  return fc.constantFrom(...placesIn(value));
}

/** Returns all places in a JSON value, the root first. */
function placesIn(value: unknown): Place[] {
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

function replaceAt(value: unknown, place: Place, change: (at: unknown) => unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((inner: unknown, at) => (at === key ? replaceAt(inner, rest, change) : inner));
  }
  return withField(value, String(key), replaceAt(Reflect.get(value as object, key), rest, change));
}

function without(parent: unknown, key: string | number | undefined): unknown {
  if (Array.isArray(parent)) return parent.filter((_inner, at) => at !== key);
  return Object.fromEntries(Object.entries(parent as object).filter(([name]) => name !== key));
}

/** Adds a field to an object. Works for the name __proto__, too. */
function withField(at: unknown, name: string, value: unknown): unknown {
  if (typeof at !== "object" || at === null || Array.isArray(at)) return at;
  return Object.fromEntries([
    ...Object.entries(at).filter(([other]) => other !== name),
    [name, value],
  ]);
}

import fc from "fast-check";
import type { Operation, Parameter } from "./document.ts";
import { places, placesIn, replaceAt, withField, without } from "./jsonPlaces.ts";
import type { Draft, Sent } from "./requests.ts";
import { junk } from "./values.ts";

/** A named change that generates mutated values. */
type Mutation<T> = readonly [name: string, change: (given: T) => fc.Arbitrary<T>];

/** Mutations of a draft. The document determines whether the mutated request is valid. */
export function draftMutations({ parameters, body }: Operation): Mutation<Draft>[] {
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
export function byteMutations({
  methods,
  parameters,
  body,
  hasToken,
}: Operation): Mutation<Sent>[] {
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
    hasToken && [
      "without the token",
      (given) => fc.constant(header(given, { authorization: undefined })),
    ],
    hasToken && [
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

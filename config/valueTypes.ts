import * as v from "valibot";
import { FIRST_TOKEN, REMOVED, TOKEN_NAME, TOKEN_NAME_RULE } from "../components/staffTokens";

/** Non-empty text that matches a pattern. */
export function text(pattern: RegExp, expected: string) {
  return v.pipe(v.string(), v.regex(pattern, `should be ${expected}.`));
}

/** Accepts a text for which the function returns no problem, a sentence that continues the value. */
export function accepted(problemOf: (text: string) => string | undefined) {
  return v.check<string, (issue: { readonly input: string }) => string>(
    (text) => problemOf(text) === undefined,
    ({ input }) => problemOf(input) ?? "",
  );
}

/** Text that matches a pattern, or the empty text. */
export function optionalText(pattern: RegExp, expected: string) {
  return text(new RegExp(`^$|${pattern.source}`), expected);
}

export function flag() {
  return v.boolean("should be true or false.");
}

export function list<T extends v.GenericSchema>(item: T, expected: string) {
  return v.array(item, `should be a list of ${expected}.`);
}

/** Values by the service's name. */
export function byService<T extends v.GenericSchema>(
  service: v.GenericSchema<string, string>,
  value: T,
  expected: string,
) {
  return mapping(service, value, `should be ${expected}.`);
}

/** A mapping of keys to values. `v.record` alone accepts lists. */
export function mapping<K extends v.GenericSchema<string, string>, T extends v.GenericSchema>(
  key: K,
  value: T,
  message: string,
) {
  const isMapping = (input: unknown): boolean =>
    typeof input === "object" && input !== null && !Array.isArray(input);
  return v.pipe(
    v.custom<Readonly<Record<string, unknown>>>(isMapping, message),
    // `v.record` leaves out these keys without an error.
    v.check(
      (input) => ignoredKey(input) === undefined,
      ({ input }) => `"${ignoredKey(input)}" can't be a name here. Remove it.`,
    ),
    v.record(key, value),
  );
}

function ignoredKey(mapping: Readonly<Record<string, unknown>>): string | undefined {
  return ["__proto__", "prototype", "constructor"].find((name) => Object.hasOwn(mapping, name));
}

/** Variables that the program itself sets. */
const RESERVED_VARIABLES =
  /^(PORT|DRAIN_SECONDS|GATEWAY_URL|STAFF_TOKENS?(_FILE)?|DATABASE_(HOST|PORT|NAME|USER|PASSWORD|SSLMODE|SSLROOTCERT)(_FILE)?)$/;

/** Text, a number or a flag, as text. */
export function plainText() {
  return v.pipe(
    v.union([v.string(), v.number(), v.boolean()], "should be text, a number or a flag."),
    v.transform(String),
  );
}

/** Environment variables by service and name. Numbers and flags become text. */
export function variables(service: v.GenericSchema<string, string>) {
  const name = v.pipe(
    v.string(),
    v.regex(
      // Lower case, too: curl reads http_proxy only so.
      /^[A-Za-z_][A-Za-z0-9_.-]*$/,
      "a name has letters, digits, underscores, dots and hyphens only, and doesn't start with a digit.",
    ),
    v.check((name) => !RESERVED_VARIABLES.test(name), "is set by the program itself."),
  );
  return byService(
    service,
    mapping(name, plainText(), "should be values by variable name."),
    "variables by service, such as {orders: {NAME: value}}",
  );
}

/** Hashes of staff tokens by name. Only the first token, which the stack creates, can be marked as removed. */
export function staffTokensByName() {
  const name = text(TOKEN_NAME, TOKEN_NAME_RULE);
  const hash = text(/^(sha256:[0-9a-f]{64}|removed)$/, HASH_RULE);
  return v.pipe(
    mapping(name, hash, "should be hashes by name. ./store token add NAME adds one."),
    v.check(
      (tokens) =>
        Object.entries(tokens).every(([one, its]) => one === FIRST_TOKEN || its !== REMOVED),
      `only ${FIRST_TOKEN}, which the stack creates, can be "${REMOVED}". Delete the other entries instead.`,
    ),
    v.check(
      (tokens) => tokens[FIRST_TOKEN] !== REMOVED || Object.keys(tokens).length > 1,
      "at least one token must be left. ./store token add NAME adds one.",
    ),
  );
}

const HASH_RULE = '"sha256:" and 64 digits, as ./store token add NAME writes them';

/** An image reference with an exact version, so that the same configuration gives the same images everywhere. */
export function exactImage() {
  return text(
    /:(?=[^:/@]*\d\.\d)[^:/@]+(@sha256:[0-9a-f]{64})?$/,
    "an image with an exact version, such as node:26.10.0-slim",
  );
}

/** Returns true for the empty text, too. */
export function isHttpUrl(text: string): boolean {
  return text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

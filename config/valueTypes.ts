import { z } from "zod";

/** Non-empty text that matches a pattern. */
export function text(pattern: RegExp, expected: string): z.ZodString {
  return z.string().regex(pattern, `should be ${expected}.`);
}

/** Text that matches a pattern, or the empty text. */
export function optionalText(pattern: RegExp, expected: string): z.ZodString {
  return text(new RegExp(`^$|${pattern.source}`), expected);
}

export function flag(): z.ZodBoolean {
  return z.boolean("should be true or false.");
}

export function list<T extends z.ZodType>(item: T, expected: string): z.ZodArray<T> {
  return z.array(item, `should be a list of ${expected}.`);
}

/** Values by the service's name. */
export function byService<T extends z.ZodType>(
  value: T,
  expected: string,
): z.ZodRecord<z.ZodString, T> {
  return z.record(z.string(), value, `should be ${expected}.`);
}

/** Environment variables by service and name. Numbers and flags become text. */
export function variables() {
  const value = z
    .union([z.string(), z.number(), z.boolean()], "should be text, a number or a flag.")
    .transform(String);
  return byService(
    z.record(variableName, value, "should be values by variable name."),
    "variables by service, such as {orders: {NAME: value}}",
  );
}

/** Variables that the program itself sets. */
const RESERVED_VARIABLES =
  /^(PORT|DRAIN_SECONDS|GATEWAY_URL|STAFF_TOKEN(_FILE)?|DATABASE_(HOST|PORT|NAME|USER|PASSWORD)(_FILE)?)$/;

const variableName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, "a name has capital letters, digits and underscores only.")
  .refine((name) => !RESERVED_VARIABLES.test(name), "is set by the program itself.");

/** An image reference with an exact version, so that the same configuration gives the same images everywhere. */
export function exactImage(): z.ZodString {
  return text(
    /:(?=[^:/@]*\d\.\d)[^:/@]+(@sha256:[0-9a-f]{64})?$/,
    "an image with an exact version, such as node:26.10.0-slim",
  );
}

/** Returns true for the empty text, too. */
export function isHttpUrl(text: string): boolean {
  return text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

/** Returns true for an IPv4 network that Azure accepts: at least 8 addresses, and no bits set outside of the prefix. */
export function isAzureNetwork(cidr: string): boolean {
  if (!z.cidrv4().safeParse(cidr).success) return false;
  const [address = "", bits = ""] = cidr.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return Number(bits) >= 8 && Number(bits) <= 29 && number % 2 ** (32 - Number(bits)) === 0;
}

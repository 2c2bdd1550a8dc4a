import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Keys of the configuration whose value is PEM, or the path of a file with PEM. No other key names a file. */
export const PEM_KEYS = ["certificate", "acmeRoot", "databaseRoot"] as const;

/** Content of a key whose value is PEM, or the path of a file with PEM; or what is wrong with the value, as a predicate. */
export type PemValue = { readonly pem: string } | { readonly problem: string };

/** Reads the value of one of {@link PEM_KEYS}. */
export function pemValue(value: string): PemValue {
  if (isPem(value)) return { pem: value };
  try {
    return { pem: readFileSync(resolve(PROJECT, value), "utf8") };
  } catch (error) {
    return { problem: unreadable(value, error as NodeJS.ErrnoException) };
  }
}

export function isPem(value: string): boolean {
  return value.includes("-----BEGIN");
}

/** The value isn't shown if it may be a certificate with its key in another form, such as base64. */
function unreadable(value: string, { code }: NodeJS.ErrnoException): string {
  if (value.length > LONGEST_PATH) return "is neither a certificate in PEM nor the path of a file.";
  return `can't read the file ${value}: ${code === "ENOENT" ? "there is none" : (code ?? "unknown error")}.`;
}

const LONGEST_PATH = 255;

/** Paths of the configuration are relative to this folder. */
const PROJECT = resolve(__dirname, "../..");

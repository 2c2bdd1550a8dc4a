import * as pulumi from "@pulumi/pulumi";
import { configSet } from "../rule";
import type { ConfigKey, ConfigValues } from "../schema";
import { isEncrypted, type StackFile } from "../values";
import { writtenValues } from "../writtenText";

/** Path of a value inside an object of the configuration. */
type Path = readonly [ConfigKey, ...string[]];

/**
 * Warns of a registry's passwords, of services' secrets and of databases' URLs that everybody who reads the stack's file knows. Secrets and
 * URLs of which none is encrypted are refused by a rule.
 *
 * @param file Undefined if the file isn't known.
 */
export function plainSecrets(
  { registry, secrets, databaseUrl }: Pick<ConfigValues, "registry" | "secrets" | "databaseUrl">,
  file: StackFile | undefined,
): string[] {
  const passwords = (["password", "pullPassword"] as const)
    .filter((field) => registry[field] !== "")
    .map((field): Path => ["registry", field]);
  const ofServices = Object.entries(secrets).flatMap(([service, values]) =>
    Object.keys(values).map((name): Path => ["secrets", service, name]),
  );
  const urls = Object.keys(databaseUrl).map((service): Path => ["databaseUrl", service]);
  return [
    ...inClear(passwords, file).map(warning("password at the registry")),
    ...inClear(ofServices, file).map(warning("secret where it comes from")),
    ...inClear(urls, file).map(warning("password at the database")),
  ];
}

function warning(secret: string): (path: Path) => string {
  return (path) => {
    const key = path.join(".");
    return `store:${key}: isn't encrypted. Replace the ${secret} if others have seen it, then: ${configSet(`--secret --path ${key} VALUE`)}`;
  };
}

/** Returns the paths whose value isn't encrypted. The engine names a key as soon as one of its values is, so the file has to say which. */
function inClear(paths: readonly Path[], file: StackFile | undefined): readonly Path[] {
  if (!paths.some(([key]) => isEncrypted(key))) return paths;
  const written = file && writtenValues(file.text, pulumi.getProject());
  return paths.filter((path) => isPlainAt(written, path));
}

/** Returns false for a path that isn't in the file, such as one of an environment of Pulumi ESC: its value may be encrypted there. */
function isPlainAt(written: unknown, [name, ...rest]: readonly string[]): boolean {
  if (isCiphertext(written)) return false;
  if (name === undefined) return written !== undefined;
  return isMapping(written) && isPlainAt(written[name], rest);
}

/** An encrypted value is written as `secure: CIPHERTEXT`. */
function isCiphertext(value: unknown): boolean {
  return isMapping(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import * as v from "valibot";
import { Mistake } from "./configError";
import { ConfigKey, configSchema, ConfigValues } from "./schema";
import { ChangedText, changedTexts } from "./writtenText";

/** The stack's file. */
export interface StackFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads each key and validates it by itself. A key with mistakes gets its default, so that the others can be checked further.
 *
 * @param file Its values must be in the form in which they are written. Undefined if the file isn't known.
 */
export function readValues(
  serviceNames: readonly string[],
  file?: StackFile,
): {
  readonly values: ConfigValues;
  readonly mistakes: Mistake[];
} {
  const mistakes = file ? changedByYaml(file, configSchema(serviceNames).entries) : [];
  const changed = mistakes.map(({ key }) => `${key}.`);
  const values = Object.entries(configSchema(serviceNames).entries).map(([key, schema]) => {
    const value = rawValue(key, typeof schema.default === "string");
    const { success, output, issues = [] } = v.safeParse(schema, value);
    if (success) return [key, output];
    const found = firstPerPath(issues.map((issue) => toMistake(key, issue)));
    mistakes.push(...found.filter(({ key }) => !changed.some((one) => one.startsWith(`${key}.`))));
    return [key, v.parse(schema, undefined)];
  });
  return { values: Object.fromEntries(values) as ConfigValues, mistakes };
}

/** Finds the stack's file as Pulumi does. Undefined if there is none. */
export function readStackFile(env: NodeJS.ProcessEnv = process.env): StackFile | undefined {
  // Set by ./store, whose copy of the file has the same name.
  const option = env["PULUMI_OPTION_CONFIG_FILE"];
  const path = option ?? `Pulumi.${pulumi.getStack()}.yaml`;
  // The user's file of ./store --config-file, of which the engine reads a copy with the stack's name.
  const original = option === undefined ? undefined : env["STORE_CONFIG_FILE"];
  try {
    return { name: original || basename(path), text: readFileSync(path, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Numbers may be written in each way that YAML allows, except for octal ones: YAML reads 010 as 8. */
function changedByYaml(
  { name, text }: StackFile,
  entries: Readonly<Record<string, { readonly default?: unknown }>>,
): Mistake[] {
  const isNumber = (key = ""): boolean =>
    key === "replicas" || ["number", "boolean"].includes(typeof entries[key]?.default);
  return changedTexts(text, pulumi.getProject(), valueAt)
    .filter(({ path, written }) => !isNumber(path[0]) || /^[-+]?0\d/.test(written))
    .map((changed) => ({
      key: changed.path.join("."),
      problem: changeProblem(name, changed, isNumber(changed.path[0])),
    }));
}

function changeProblem(
  file: string,
  { path, line, written, actual }: ChangedText,
  isNumber: boolean,
): string {
  if (mayBeSecret(path)) {
    return `${HIDDEN_VALUE} has no quotes in ${file}, line ${line}, so YAML turns it into another one. Put it in quotes.`;
  }
  const remedy = isNumber ? "Write it without leading zeros." : `Put it in quotes: "${written}".`;
  return `${written} (${file}, line ${line}) has no quotes, so YAML turns it into ${actual}. ${remedy}`;
}

/** The value that the engine passes for a path, before validation. */
function valueAt([key = "", ...rest]: readonly string[]): unknown {
  const value = rawValue(key, rest.length === 0);
  return rest.reduce<unknown>(
    (object, name) =>
      typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined,
    value,
  );
}

/** True for a key whose value in the stack's file is encrypted, or holds an encrypted value. */
export function isEncrypted(key: ConfigKey): boolean {
  // The SDK reads the same variable, but doesn't export the result.
  const keys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] || "[]");
  return Array.isArray(keys) && keys.includes(`store:${key}`);
}

/**
 * The value that the engine passes: text as it is, everything else as JSON. `Config.get` isn't used because it would print a
 * warning for each secret.
 */
function rawValue(key: string, isText: boolean): unknown {
  const value = pulumi.runtime.getConfig(`store:${key}`);
  if (value === undefined || isText) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function toMistake(key: string, { path, input, message }: v.BaseIssue<unknown>): Mistake {
  // An array's index is left out: the message shows the element.
  const names = [
    key,
    ...(path ?? []).map((item) => item.key).filter((name) => typeof name === "string"),
  ];
  return {
    key: names.join("."),
    problem: message.startsWith("should") ? `${shownValue(names, input)} ${message}` : message,
  };
}

function shownValue(path: readonly string[], value: unknown): string {
  if (mayBeSecret(path)) return HIDDEN_VALUE;
  return value === "" ? "is empty; it" : JSON.stringify(value);
}

function mayBeSecret([key = "", field]: readonly string[]): boolean {
  return (
    SECRET_KEYS.has(key) ||
    isEncrypted(key as ConfigKey) ||
    (key === "registry" && !REGISTRY_PLAIN_FIELDS.has(field ?? ""))
  );
}

/** An unknown field may be a misspelt password. */
const REGISTRY_PLAIN_FIELDS: ReadonlySet<string> = new Set([
  "address",
  "namespace",
  "username",
  "pullUsername",
]);

const HIDDEN_VALUE = "the value (not shown, because it may be secret)";

const SECRET_KEYS: ReadonlySet<string> = new Set<ConfigKey>([
  // Somebody may have written a token instead of its hash.
  "staffTokens",
  "secrets",
  "databaseUrl",
  "sshPrivateKey",
  "certificate",
]);

function firstPerPath(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.filter(
    ({ key }, index) => mistakes.findIndex((other) => other.key === key) === index,
  );
}

import * as pulumi from "@pulumi/pulumi";
import * as v from "valibot";
import { Mistake } from "./configError";
import { ConfigKey, configSchema, ConfigValues } from "./schema";

/** Reads each key and validates it by itself. A key with mistakes gets its default, so that the others can be checked further. */
export function readValues(serviceNames: readonly string[]): {
  readonly values: ConfigValues;
  readonly mistakes: Mistake[];
} {
  const mistakes: Mistake[] = [];
  const values = Object.entries(configSchema(serviceNames).entries).map(([key, schema]) => {
    const value = rawValue(key, typeof schema.default === "string");
    const { success, output, issues = [] } = v.safeParse(schema, value);
    if (success) return [key, output];
    mistakes.push(...firstPerPath(issues.map((issue) => toMistake(key, issue))));
    return [key, v.parse(schema, undefined)];
  });
  return { values: Object.fromEntries(values) as ConfigValues, mistakes };
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

function shownValue([key = "", field]: readonly string[], value: unknown): string {
  const isSecret =
    SECRET_KEYS.has(key) ||
    isEncrypted(key as ConfigKey) ||
    (key === "registry" && (field === undefined || field === "password"));
  if (isSecret) return "the value (not shown, because it may be secret)";
  return value === "" ? "is empty; it" : JSON.stringify(value);
}

const SECRET_KEYS: ReadonlySet<string> = new Set<ConfigKey>(["secrets", "sshPrivateKey"]);

function firstPerPath(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.filter(
    ({ key }, index) => mistakes.findIndex((other) => other.key === key) === index,
  );
}

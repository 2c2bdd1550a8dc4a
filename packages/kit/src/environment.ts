import { readFileSync } from "node:fs";

/** An environment variable is missing or invalid. The message names the variable and the remedy. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** Parses the value of a variable (`undefined` if it isn't set). Throws an error whose message lacks the variable's name. */
export type Variable<T> = (value: string | undefined) => T;

export type Values<S> = { readonly [K in keyof S]: S[K] extends Variable<infer T> ? T : never };

/**
 * Reads the named variables.
 *
 * @throws EnvironmentError that names all invalid variables at once.
 */
export function readEnvironment<S extends Record<string, Variable<unknown>>>(
  schema: S,
  source: NodeJS.ProcessEnv = process.env,
): Values<S> {
  const wrong: string[] = [];
  const entries = Object.entries(schema).map(([name, read]) => {
    try {
      // `NAME=` in an env file and an unset `${NAME}` in a script leave an empty value: treat it as not set.
      return [name, read(source[name] === "" ? undefined : source[name])];
    } catch (error) {
      wrong.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return [name, undefined];
    }
  });
  if (wrong.length > 0) throw new EnvironmentError(`Invalid environment: ${wrong.join("; ")}`);
  return Object.fromEntries(entries) as Values<S>;
}

/** A string. Required unless there is a fallback. */
export function text(fallback?: string): Variable<string> {
  return (value) => value ?? required(fallback, "is missing");
}

/** An integer from `minimum` to `maximum`. Required unless there is a fallback. */
export function integer(minimum: number, maximum: number, fallback?: number): Variable<number> {
  const expected = `an integer from ${minimum} to ${maximum}`;
  return (value) => {
    if (value === undefined) return required(fallback, `is missing: ${expected}`);
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < minimum || number > maximum) {
      throw new Error(`must be ${expected}, not ${JSON.stringify(value)}`);
    }
    return number;
  };
}

/** One of the listed values. Required unless there is a fallback. */
export function oneOf<const T extends string>(values: readonly T[], fallback?: T): Variable<T> {
  const expected = `one of ${values.join(", ")}`;
  return (value) => {
    if (value === undefined) return required(fallback, `is missing: ${expected}`);
    const found = values.find((candidate) => candidate === value);
    return required(found, `must be ${expected}, not ${JSON.stringify(value)}`);
  };
}

/** `true` or `false`. */
export function flag(fallback: boolean): Variable<boolean> {
  const read = oneOf(["true", "false"], fallback ? "true" : "false");
  return (value) => read(value) === "true";
}

/** Makes a variable optional: `undefined` if it isn't set. */
export function optional<T>(read: Variable<T>): Variable<T | undefined> {
  return (value) => (value === undefined ? undefined : read(value));
}

/** An http or https URL. Slashes at its end are removed. Required unless there is a fallback. */
export function httpUrl(fallback?: string): Variable<string> {
  return (value) => {
    const given = required(value ?? fallback, "is missing: a URL such as http://inventory:3000");
    const url = URL.canParse(given) ? new URL(given) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
      throw new Error(`must be a URL such as http://inventory:3000, not ${JSON.stringify(given)}`);
    }
    return given.replace(/\/+$/, "");
  };
}

/** The path of a file with a secret. The file is read at startup to detect a wrong path early, and again at every use. */
export function secretFile(): Variable<() => string> {
  return (value) => {
    const path = required(value, "is missing: the path of a file with the secret");
    const read = () => readFileSync(path, "utf8").replace(/\r?\n$/, "");
    try {
      read();
    } catch (error) {
      throw new Error(`names a file that can't be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return read;
  };
}

function required<T>(value: T | undefined, message: string): T {
  if (value === undefined) throw new Error(message);
  return value;
}

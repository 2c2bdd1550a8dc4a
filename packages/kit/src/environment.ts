import { readFileSync } from "node:fs";

/** The environment is missing something or says something unusable. Its message names the variable and the remedy. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** Reads one variable's value; `undefined` when it isn't set. Throws what is wrong with it, without the variable's name. */
export type Variable<T> = (value: string | undefined) => T;

export type Values<S> = { readonly [K in keyof S]: S[K] extends Variable<infer T> ? T : never };

/** Reads the named variables. One error names all that are wrong. */
export function readEnvironment<S extends Record<string, Variable<unknown>>>(
  schema: S,
  source: NodeJS.ProcessEnv = process.env,
): Values<S> {
  const wrong: string[] = [];
  const entries = Object.entries(schema).map(([name, read]) => {
    try {
      // An empty value is what `NAME=` in an env file or `${NAME}` in a script leaves: not set.
      return [name, read(source[name] === "" ? undefined : source[name])];
    } catch (error) {
      wrong.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
      return [name, undefined];
    }
  });
  if (wrong.length > 0)
    throw new EnvironmentError(`Set the environment right: ${wrong.join("; ")}`);
  return Object.fromEntries(entries) as Values<S>;
}

export function text(fallback?: string): Variable<string> {
  return (value) => value ?? required(fallback, "is missing");
}

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

export function oneOf<const T extends string>(values: readonly T[], fallback?: T): Variable<T> {
  const expected = `one of ${values.join(", ")}`;
  return (value) => {
    if (value === undefined) return required(fallback, `is missing: ${expected}`);
    const found = values.find((candidate) => candidate === value);
    return required(found, `must be ${expected}, not ${JSON.stringify(value)}`);
  };
}

export function flag(fallback: boolean): Variable<boolean> {
  const read = oneOf(["true", "false"], fallback ? "true" : "false");
  return (value) => read(value) === "true";
}

/** Where another service answers, without a slash at the end. */
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

/** Path of a file with a secret. Reads it at start to refuse a wrong path early; the secret is read anew at every use. */
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

function required<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

import type { FastifySchemaCompiler, FastifySchemaValidationError } from "fastify";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";

/** One field that is wrong, and why. */
export interface FieldError {
  readonly in: "body" | "query" | "path" | "header";
  /** JSON pointer to it, from the root of the part that `in` names. */
  readonly pointer: string;
  readonly message: string;
}

/**
 * Checks every part of a request with the schema that is also published. Stricter than Fastify's default: a body is taken as
 * it is, nothing in it is converted or dropped. TypeBox stops at eight errors, so a huge wrong body costs little.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (given: unknown) => {
    const value = httpPart === "body" ? given : fromStrings(schema, given);
    if (compiled.Check(value)) return { value };
    const errors = compiled.Errors(value).map((error) => ({
      ...error,
      message: customMessage(schema, error.schemaPath, error.keyword) ?? error.message,
    }));
    return { error: errors as FastifySchemaValidationError[] };
  };
};

/** Checks values from outside that no route's schema has checked: another service's answers, say. */
export function createParser<S extends TSchema>(schema: S): (value: unknown) => Static<S> | undefined {
  const compiled = Compile(schema);
  return (value) => (compiled.Check(value) ? value : undefined);
}

/** Makes our errors of a validator's. */
export function toFieldErrors(
  errors: readonly FastifySchemaValidationError[],
  context: string | undefined,
): FieldError[] {
  const part = parts[context ?? "body"] ?? "body";
  const explained = errors.flatMap(({ keyword, instancePath, params, message }): FieldError[] => {
    const at = (names: unknown, text: string) =>
      (Array.isArray(names) ? names : []).map((name: unknown) => ({
        in: part,
        pointer: `${instancePath}/${escapePointer(String(name))}`,
        message: text,
      }));
    if (keyword === "required") return at(params["requiredProperties"], "is missing");
    if (keyword === "additionalProperties") return at(params["additionalProperties"], NO_FIELD);
    // One for each field too many, before the one for all of them; with eight that one isn't reached.
    if (keyword === "boolean") return [{ in: part, pointer: instancePath, message: NO_FIELD }];
    return [{ in: part, pointer: instancePath, message: message ?? "is wrong" }];
  });
  return [...new Map(explained.map((error) => [error.pointer + error.message, error])).values()];
}

const NO_FIELD = "is not a field of this request";

const parts: Record<string, FieldError["in"]> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "header",
};

/** A schema may carry, as `x-message`, words that people understand better than a regular expression. */
function customMessage(schema: TSchema, schemaPath: string, keyword: string): string | undefined {
  if (!["pattern", "format", "enum"].includes(keyword)) return undefined;
  const found = schemaPath
    .split("/")
    .slice(1)
    .reduce<unknown>(
      (at, key) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined),
      schema,
    );
  const message = isRecord(found) ? found["x-message"] : undefined;
  return typeof message === "string" ? message : undefined;
}

/** Query, path and headers are strings: makes integers and booleans of those that are exactly that. */
function fromStrings(schema: TSchema, given: unknown): unknown {
  if (!isRecord(given)) return given;
  return Object.fromEntries(
    // A form sends the fields that were left empty, too.
    Object.entries(given)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => {
        const type = property(schema, name)?.["type"];
        if (typeof value !== "string") return [name, value];
        if ((type === "integer" || type === "number") && /^-?\d{1,15}$/.test(value))
          return [name, Number(value)];
        if (type === "boolean" && (value === "true" || value === "false"))
          return [name, value === "true"];
        return [name, value];
      }),
  );
}

function property(schema: TSchema, name: string): Record<string, unknown> | undefined {
  const properties: unknown = Reflect.get(schema, "properties");
  if (!isRecord(properties) || !Object.hasOwn(properties, name)) return undefined;
  const found = properties[name];
  return isRecord(found) ? found : undefined;
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

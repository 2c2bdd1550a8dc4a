import type { FastifySchemaCompiler, FastifySchemaValidationError } from "fastify";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";

/** An invalid field of a request. */
export interface FieldError {
  readonly in: "body" | "query" | "path" | "header";
  /** JSON pointer to the field, from the root of the part that `in` names. */
  readonly pointer: string;
  readonly message: string;
}

/**
 * Validates every part of a request against the published schema. Stricter than Fastify's default: nothing in a body is converted or
 * dropped. TypeBox stops after eight errors, so a large invalid body costs little.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (input: unknown) => {
    const value = httpPart === "body" ? input : convertStrings(schema, input);
    if (compiled.Check(value)) return { value };
    const errors = compiled.Errors(value).map((error) => ({
      ...error,
      message: customMessage(schema, error.schemaPath, error.keyword) ?? error.message,
    }));
    return { error: errors as FastifySchemaValidationError[] };
  };
};

/** Creates a validator for values that no route's schema has validated, such as another service's response. It returns undefined for an invalid value. */
export function createParser<S extends TSchema>(
  schema: S,
): (value: unknown) => Static<S> | undefined {
  const compiled = Compile(schema);
  return (value) => (compiled.Check(value) ? value : undefined);
}

/** Converts the validator's errors into field errors, without duplicates. */
export function toFieldErrors(
  errors: readonly FastifySchemaValidationError[],
  context: string | undefined,
): FieldError[] {
  const part = parts[context ?? "body"] ?? "body";
  const fieldErrors = errors.flatMap(({ keyword, instancePath, params, message }): FieldError[] => {
    const at = (names: unknown, text: string) =>
      (Array.isArray(names) ? names : []).map((name: unknown) => ({
        in: part,
        pointer: `${instancePath}/${escapePointer(String(name))}`,
        message: text,
      }));
    if (keyword === "required") return at(params["requiredProperties"], "is missing");
    if (keyword === "additionalProperties")
      return at(params["additionalProperties"], UNKNOWN_FIELD);
    // TypeBox reports each unknown field by itself before the summary above, which it doesn't reach after eight of them.
    if (keyword === "boolean") return [{ in: part, pointer: instancePath, message: UNKNOWN_FIELD }];
    return [{ in: part, pointer: instancePath, message: message ?? "is invalid" }];
  });
  return [...new Map(fieldErrors.map((error) => [error.pointer + error.message, error])).values()];
}

const UNKNOWN_FIELD = "is not a field of this request";

const parts: Record<string, FieldError["in"]> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "header",
};

/** Returns the schema's `x-message`, which explains a pattern, format or enum better than the validator's message. */
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

/** Converts the strings of query, path and headers to integers and booleans where the schema asks for them. Drops empty strings. */
function convertStrings(schema: TSchema, input: unknown): unknown {
  if (!isRecord(input)) return input;
  return Object.fromEntries(
    // An HTML form also sends the fields that were left empty.
    Object.entries(input)
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

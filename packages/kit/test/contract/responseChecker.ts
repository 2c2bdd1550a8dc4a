import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { Answer } from "./sendRequest.ts";
import {
  responseFor,
  type OpenApi,
  type Operation,
  type Parameter,
  type Schema,
} from "./document.ts";
import type { Case } from "./requests.ts";

interface FieldError {
  readonly in: string;
  readonly pointer: string;
}
interface Problem {
  readonly type: string;
  readonly status: number;
  readonly errors?: readonly FieldError[];
}

/** The kit's limit for request bodies in bytes. */
const BODY_LIMIT = 64 * 1024;

/** Checks responses against the OpenAPI document, with another validator (Ajv) than the service's own. */
export class ResponseChecker {
  readonly #document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApi) {
    this.#document = document;
    formats.default(this.#ajv, ["date-time", "email"]);
  }

  /** Returns the violations of the document, one line each. */
  violations(operation: Operation, { sent, draft, mutation }: Case, answer: Answer): string[] {
    const { status } = answer;
    if (status >= 500) return [`${status} is never expected`];
    const violations = status >= 400 ? this.#problemViolations(answer) : [];
    if (sent.method === operation.method && status < 400) {
      violations.push(...this.#responseViolations(operation, answer));
    }
    if (draft !== undefined)
      violations.push(...this.#validationViolations(operation, sent, answer));
    if (mutation.includes("token") && status !== 401) violations.push("accepted without the token");
    if (status === 405 && answer.headers["allow"] === undefined) violations.push("no header allow");
    const unreadable = [
      "invalid UTF-8",
      "no JSON",
      "a body over the limit",
      "another content type",
    ];
    if (unreadable.includes(mutation) && status < 400)
      violations.push("accepted an unreadable body");
    return violations;
  }

  #problemViolations(answer: Answer): string[] {
    if (!/^application\/problem\+json/.test(String(answer.headers["content-type"])))
      return [`the problem's content type is ${String(answer.headers["content-type"])}`];
    // A response to HEAD has no body.
    if (answer.text === "") return [];
    const problem = JSON.parse(answer.text) as Problem;
    const violations = this.#errors({ $ref: "#/components/schemas/Problem" }, problem);
    if (problem.status !== answer.status)
      violations.push(`the problem's status is ${problem.status}`);
    return violations.map((violation) => `problem document: ${violation}`);
  }

  #responseViolations(operation: Operation, { status, headers, text }: Answer): string[] {
    const response = responseFor(operation, status);
    if (response === undefined) return [`the status ${status} isn't documented`];
    const wrong = headerViolations(Object.keys(response.headers ?? {}), headers);
    if (wrong.length > 0) return wrong;
    if (response.content === undefined) return text === "" ? [] : ["a body isn't documented"];
    const type = String(headers["content-type"]).replace(/;.*/, "");
    const documented = response.content[type];
    if (documented === undefined) return [`the content type ${type} isn't documented`];
    const body: unknown = type === "application/json" ? JSON.parse(text) : text;
    return this.#errors(documented.schema, body).map((violation) => `response: ${violation}`);
  }

  /** Requests that the document forbids, and only those, must be rejected with the names of the invalid fields. */
  #validationViolations(
    operation: Operation,
    sent: Case["sent"],
    { status, text }: Answer,
  ): string[] {
    const wrong = this.#wrongFields(operation, sent);
    const problem = status < 400 || text === "" ? undefined : (JSON.parse(text) as Problem);
    const named = problem?.type === "urn:store:problem:validation" ? problem.errors : undefined;
    if (wrong.length === 0) {
      return named === undefined ? [] : ["rejected a valid request"];
    }
    if (status < 400) return [`accepted an invalid request: ${describe(wrong)}`];
    if (isRejectedBeforeValidation(sent, status)) return [];
    if (named === undefined || named.length === 0)
      return [`no field is named, but these are invalid: ${describe(wrong)}`];
    return named
      .filter((error) => !wrong.some((one) => one.in === error.in && isRelated(one, error)))
      .map((error) => `names ${describe([error])}, but these are invalid: ${describe(wrong)}`);
  }

  #wrongFields(operation: Operation, { path, headers, body }: Case["sent"]): FieldError[] {
    const [pathname = "", query = ""] = path.split("?", 2);
    const parts: [in_: string, schema: Schema, value: unknown][] = [
      ["path", schemaOf(operation, "path"), pathValues(operation.path, pathname)],
      ["query", schemaOf(operation, "query"), queryValues(query)],
      ["header", schemaOf(operation, "header"), headers],
    ];
    const wrong = parts.flatMap(([where, schema, value]) =>
      this.#wrong(where, schema, convertStrings(schema, value as Record<string, unknown>)),
    );
    if (operation.body === undefined) return wrong;
    const given: unknown = body === undefined ? undefined : JSON.parse(body.toString());
    return [...wrong, ...this.#wrong("body", operation.body, given)];
  }

  #wrong(where: string, schema: Schema, value: unknown): FieldError[] {
    const validate = this.#validator(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, params }) => {
      const name: unknown = params["missingProperty"] ?? params["additionalProperty"];
      return {
        in: where,
        pointer: typeof name === "string" ? `${instancePath}/${escapePointer(name)}` : instancePath,
      };
    });
  }

  #errors(schema: Schema, value: unknown): string[] {
    const validate = this.#validator(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath === "" ? "it" : instancePath} ${message}`,
    );
  }

  #validator(schema: Schema): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = this.#validators.get(key);
    if (known !== undefined) return known;
    const made = this.#ajv.compile({ ...schema, components: this.#document.components });
    this.#validators.set(key, made);
    return made;
  }
}

/** Headers that callers use must be documented, and documented headers must be present. */
function headerViolations(documented: readonly string[], given: Answer["headers"]): string[] {
  const needed = ["location", "etag"].filter((name) => given[name] !== undefined);
  return [
    ...documented.filter((name) => given[name] === undefined).map((name) => `no header ${name}`),
    ...needed
      .filter((name) => !documented.includes(name))
      .map((name) => `the header ${name} isn't documented`),
  ];
}

/** Returns true for rejections that happen before the validation of fields. */
function isRejectedBeforeValidation({ path, body }: Case["sent"], status: number): boolean {
  if (status === 413) return (body?.length ?? 0) > BODY_LIMIT;
  if (status === 414) return path.length > 100;
  // Names for prototype pollution are rejected by the JSON parser.
  return status === 400 && /"(__proto__|constructor)"/.test(body?.toString() ?? "");
}

function schemaOf({ parameters }: Operation, where: Parameter["in"]): Schema {
  const found = parameters.filter((parameter) => parameter.in === where);
  return {
    type: "object",
    properties: Object.fromEntries(found.map(({ name, schema }) => [name, schema])),
    required: found.filter(({ required }) => required === true).map(({ name }) => name),
    // Undocumented query parameters are rejected; undocumented headers are allowed.
    ...(where === "query" ? { additionalProperties: false } : {}),
  };
}

function pathValues(template: string, path: string): Record<string, string> {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, "([^/]+)")}$`);
  const values = pattern.exec(path)?.slice(1) ?? [];
  return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(values[at] ?? "")]));
}

function queryValues(query: string): Record<string, unknown> {
  const values = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(values);
}

/** Converts strings like the kit does: digits become integers, and empty values are dropped. */
function convertStrings(schema: Schema, values: Record<string, unknown>): Record<string, unknown> {
  const properties = schema["properties"] as Record<string, Schema>;
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => {
        const isNumber =
          properties[name]?.["type"] === "integer" &&
          typeof value === "string" &&
          /^-?\d{1,15}$/.test(value);
        return [name, isNumber ? Number(value) : value];
      }),
  );
}

/** Returns true if the pointers are equal or one contains the other. */
function isRelated({ pointer: one }: FieldError, { pointer: other }: FieldError): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

function describe(errors: readonly FieldError[]): string {
  return errors
    .slice(0, 5)
    .map((error) => `${error.in} ${error.pointer === "" ? "itself" : error.pointer}`)
    .join(", ");
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

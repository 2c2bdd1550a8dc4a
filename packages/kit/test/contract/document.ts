import type { RunningService } from "../support/index.ts";

export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface DocumentedResponse {
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, object>>;
}

interface DocumentedOperation {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
  readonly security?: readonly object[];
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** One method of one path, as documented. */
export interface Operation {
  /** Method and path, such as "PUT /internal/reservations/{id}". */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Schema of the JSON body; `undefined` if there is none. */
  readonly body: Schema | undefined;
  readonly responses: DocumentedOperation["responses"];
  /** Requires a token: that of the staff, or that of another service. */
  readonly hasToken: boolean;
  /** All methods of the path. */
  readonly methods: readonly string[];
}

/** Fetches the complete document of a service, with its internal routes. */
export async function fetchDocument(service: RunningService): Promise<OpenApi> {
  return (await service.json("/openapi.json")) as OpenApi;
}

export function operationsOf({ paths }: OpenApi): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters: operation.parameters ?? [],
      body: operation.requestBody?.content["application/json"]?.schema,
      responses: operation.responses,
      hasToken: operation.security !== undefined,
      methods: Object.keys(methods).map((one) => one.toUpperCase()),
    })),
  );
}

/** Returns the documented response for a status or for its class, such as 4XX. */
export function responseFor(
  { responses }: Operation,
  status: number,
): DocumentedResponse | undefined {
  return responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
}

import fc from "fast-check";
import type { Operation, Parameter } from "./document.ts";
import { byteMutations, draftMutations } from "./mutations.ts";
import { valuesOf, type KnownValues } from "./values.ts";

/** A request before it is encoded. */
export interface Draft {
  /** Values of the path parameters, before percent-encoding. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body; `undefined` if there is none. */
  readonly body: unknown;
}

/** An encoded request. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** A request with the draft from which it was made. */
export interface Case {
  readonly sent: Sent;
  /** `undefined` if the encoded request was mutated, so that the document doesn't determine the response. */
  readonly draft: Draft | undefined;
  /** Description of the mutation. */
  readonly mutation: string;
}

/** Generates requests that the document allows. */
export function drafts(operation: Operation, known: KnownValues): fc.Arbitrary<Draft> {
  const of = (where: Parameter["in"]) =>
    operation.parameters.filter((parameter) => parameter.in === where);
  const values = (where: Parameter["in"]) =>
    fc.record(
      Object.fromEntries(
        of(where).map(({ name, schema }) => [
          name,
          valuesOf(schema, known, name).map((value) => String(value)),
        ]),
      ),
      {
        requiredKeys: of(where)
          .filter(({ required }) => required === true)
          .map(({ name }) => name),
        noNullPrototype: true,
      },
    ) as fc.Arbitrary<Record<string, string>>;
  return fc.record({
    path: values("path"),
    query: values("query").map((query) => Object.entries(query)),
    headers: values("header").map((headers) =>
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, sendable(value)])),
    ),
    body: operation.body === undefined ? fc.constant(undefined) : valuesOf(operation.body, known),
  });
}

/** Returns the characters of a text that a header may contain. */
function sendable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, "") || "x";
}

/** Generates requests that the document allows, and requests with one mutation. */
export function cases(operation: Operation, known: KnownValues, token: string): fc.Arbitrary<Case> {
  const draft = drafts(operation, known);
  const plain = (given: Draft, mutation: string): Case => caseOf(operation, given, token, mutation);
  const mutatedDrafts = draftMutations(operation).map(([mutation, change]) =>
    draft.chain((given) => change(given).map((changed) => plain(changed, mutation))),
  );
  const mutatedBytes = byteMutations(operation).map(([mutation, change]) =>
    draft.chain((given) =>
      change(encode(operation, given, token)).map((sent) => ({ sent, draft: undefined, mutation })),
    ),
  );
  return fc.oneof(
    { weight: 6, arbitrary: documented(operation, known, token) },
    ...mutatedDrafts.map((arbitrary) => ({ weight: 2, arbitrary })),
    ...mutatedBytes.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
}

/** Generates only requests that the document allows. */
export function documented(
  operation: Operation,
  known: KnownValues,
  token: string,
): fc.Arbitrary<Case> {
  return drafts(operation, known).map((given) => caseOf(operation, given, token, "as documented"));
}

function caseOf(operation: Operation, draft: Draft, token: string, mutation: string): Case {
  return { sent: encode(operation, draft, token), draft, mutation };
}

function encode({ method, path, hasToken }: Operation, draft: Draft, token: string): Sent {
  const query = new URLSearchParams(
    draft.query.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(Buffer.from(draft.path[name] ?? "").toString()),
  );
  return {
    method,
    path: query === "" ? filled : `${filled}?${query}`,
    headers: {
      ...(hasToken ? { authorization: `Bearer ${token}` } : {}),
      ...(draft.body === undefined ? {} : { "content-type": "application/json" }),
      ...draft.headers,
    },
    body: draft.body === undefined ? undefined : Buffer.from(JSON.stringify(draft.body)),
  };
}

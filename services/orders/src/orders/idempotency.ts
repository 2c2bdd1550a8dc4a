import { createHash } from "node:crypto";
import { problem, type Problem } from "@store/kit";
import type { OrderRequest } from "./schemas.ts";

/** Identity of a request, for detecting repetitions. */
export interface RequestIdentity {
  readonly key: string;
  /** Result of {@link hashRequest}. */
  readonly hash: Buffer;
}

/** The stored answer to a request. */
export interface StoredAnswer {
  /** ID of the order; null if the request was refused. */
  readonly id: string | null;
  readonly hash: Buffer;
  readonly response: string;
}

/** SHA-256 of the parsed request. Whitespace and the order of fields don't change it. */
export function hashRequest(request: OrderRequest): Buffer {
  const sorted = JSON.stringify(request, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(sorted).digest();
}

/**
 * Returns the order's ID and the stored response body for a request with that hash.
 *
 * @throws Problem if another request used the key or this request was refused.
 */
export function receiptOf(stored: StoredAnswer, hash: Buffer): { id: string; body: string } {
  if (stored.id === null) {
    const { status, message, options } = JSON.parse(stored.response) as Refusal;
    throw problem(status, message, options);
  }
  if (stored.hash.equals(hash)) return { id: stored.id, body: stored.response };
  throw problem(
    422,
    "This idempotency-key was used for another order. Use a new key for a new order.",
    {
      type: "idempotency-key-reused",
      errors: [
        { in: "header", pointer: "/idempotency-key", message: "was used with another body" },
      ],
    },
  );
}

/** The stored form of a problem. */
export type Refusal = Pick<Problem, "status" | "message" | "options">;

import { setTimeout as delay } from "node:timers/promises";
import type { InvariantResults } from "../invariants/invariants.ts";

/** A request to place an order. */
export interface OrderRequest {
  readonly key: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly token: string;
}

/** A definite response: anything but an error that asks for a retry. */
export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
const RETRY_PAUSE_MS = 100;
/** Time until a client gives up. */
const TOTAL_TIMEOUT_MS = 180_000;

/** A client that places orders through the public API and retries under the same idempotency key until it gets a definite response. */
export class OrderClient {
  readonly #url: string;
  readonly #results: InvariantResults;
  /** The first definite response by key. All later responses must be equal. */
  readonly answers = new Map<string, Answer>();
  readonly requests = new Map<string, OrderRequest>();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(url: string, results: InvariantResults) {
    this.#url = url;
    this.#results = results;
  }

  /** Places an order, or repeats the request. Resolves with the definite response. */
  place(request: OrderRequest): Promise<Answer> {
    this.requests.set(request.key, request);
    return this.#track(
      this.#send(request).then((answer) => {
        this.#compare(request.key, answer);
        return answer;
      }),
    );
  }

  /** Sends another order under the key of a placed one, which must be rejected. */
  reuse(key: string, other: Omit<OrderRequest, "key">): Promise<void> {
    return this.#track(
      this.#send({ key, ...other }).then(({ status, text }) => {
        this.#results.check(
          "reuse",
          status === 422 && text.includes("idempotency-key-reused"),
          `the key ${key} with another body got ${status}: ${text}`,
        );
      }),
    );
  }

  /** The responses of accepted orders by key. */
  get placed(): ReadonlyMap<string, Answer> {
    return new Map([...this.answers].filter(([, { status }]) => status === 202));
  }

  /** True if no request waits for a response. */
  get isIdle(): boolean {
    return this.#pending.size === 0;
  }

  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #compare(key: string, answer: Answer): void {
    const first = this.answers.get(key);
    if (first === undefined) {
      this.answers.set(key, answer);
      return;
    }
    this.#results.check(
      "replay",
      first.status === answer.status &&
        withoutInstance(first) === withoutInstance(answer) &&
        first.location === answer.location,
      `the key ${key} got ${first.text}, and then ${answer.text}`,
    );
  }

  async #send({ key, lines, token }: OrderRequest): Promise<Answer> {
    const body = JSON.stringify({
      customer: {
        name: "Ada Lovelace",
        email: "ada@example.org",
        address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
      },
      items: lines,
      payment: { token },
    });
    const deadline = Date.now() + TOTAL_TIMEOUT_MS;
    while (Date.now() < deadline) {
      try {
        const response = await fetch(`${this.#url}/api/orders`, {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": key },
          body,
          signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
        });
        const text = await response.text();
        const { status, headers } = response;
        if (status < 500 && status !== 429)
          return { status, location: headers.get("location"), text };
      } catch {
        // Without a response the outcome is unknown, so the request is repeated under the same key.
      }
      await delay(RETRY_PAUSE_MS);
    }
    throw new Error(`The order ${key} got no definite response within ${TOTAL_TIMEOUT_MS} ms`);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    // Failed work stays in the set, so that settled() throws its error even if nobody else awaits it.
    work.then(
      () => this.#pending.delete(work),
      () => undefined,
    );
    return work;
  }
}

/** Returns the response body without the request id of a problem document, which differs between repeated requests. */
function withoutInstance({ status, text }: Answer): string {
  return status === 202 ? text : text.replace(/"instance":"[^"]*"/, "");
}

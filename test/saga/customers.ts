import { setTimeout as delay } from "node:timers/promises";
import type { InvariantResults } from "./findings.ts";

/** An order that somebody wants to place. */
export interface OrderRequest {
  readonly key: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly token: string;
}

/** What was definitely answered: anything but "try again". */
export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

/** Milliseconds for one attempt, between two, and until even the most patient have enough. */
const ATTEMPT_MS = 4_000;
const PAUSE_MS = 100;
const PATIENCE_MS = 60_000;

/** People who order at the front door, and ask again under the same key for as long as they don't know. */
export class ShopClient {
  readonly #url: string;
  readonly #findings: InvariantResults;
  /** By key, what was answered first: every other answer must be the same. */
  readonly answers = new Map<string, Answer>();
  readonly requests = new Map<string, OrderRequest>();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(url: string, findings: InvariantResults) {
    this.#url = url;
    this.#findings = findings;
  }

  /** Places an order, or the same once more. Resolves with the definite answer. */
  place(wish: OrderRequest): Promise<Answer> {
    this.requests.set(wish.key, wish);
    return this.#track(
      this.#ask(wish).then((answer) => {
        this.#compare(wish.key, answer);
        return answer;
      }),
    );
  }

  /** Uses the key of an order that was placed for another one: that must be refused. */
  reuse(key: string, other: Omit<OrderRequest, "key">): Promise<void> {
    return this.#track(
      this.#ask({ key, ...other }).then(({ status, text }) => {
        this.#findings.check(
          "reuse",
          status === 422 && text.includes("idempotency-key-reused"),
          `the key ${key} with another body was answered ${status}: ${text}`,
        );
      }),
    );
  }

  /** By key, what was answered to those whose order was taken. */
  get placed(): ReadonlyMap<string, Answer> {
    return new Map([...this.answers].filter(([, { status }]) => status === 202));
  }

  /** Nobody waits for an answer. */
  get isIdle(): boolean {
    return this.#underWay.size === 0;
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #compare(key: string, answer: Answer): void {
    const first = this.answers.get(key);
    if (first === undefined) {
      this.answers.set(key, answer);
      return;
    }
    this.#findings.check(
      "replay",
      first.status === answer.status &&
        withoutInstance(first) === withoutInstance(answer) &&
        first.location === answer.location,
      `the key ${key} was answered ${first.text}, and then ${answer.text}`,
    );
  }

  async #ask({ key, lines, token }: OrderRequest): Promise<Answer> {
    const body = JSON.stringify({
      customer: {
        name: "Ada Lovelace",
        email: "ada@example.org",
        address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
      },
      items: lines,
      payment: { token },
    });
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      try {
        const response = await fetch(`${this.#url}/api/orders`, {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": key },
          body,
          signal: AbortSignal.timeout(ATTEMPT_MS),
        });
        const text = await response.text();
        const { status, headers } = response;
        if (status < 500 && status !== 429)
          return { status, location: headers.get("location"), text };
      } catch {
        // No answer, so it isn't known whether it was placed: asked again under the same key.
      }
      await delay(PAUSE_MS);
    }
    throw new Error(`No definite answer came to the order ${key} within ${PATIENCE_MS} ms`);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    // Whoever waits for the work gets its error; settled() gives it to whoever doesn't.
    work.then(
      () => this.#underWay.delete(work),
      () => undefined,
    );
    return work;
  }
}

/** An answer's body but for what tells one request from another, which only a problem document has. */
function withoutInstance({ status, text }: Answer): string {
  return status === 202 ? text : text.replace(/"instance":"[^"]*"/, "");
}

/**
 * Emulator of Stripe's API, written for these tests; contains none of Stripe's code. It has only the calls that billing makes
 * and stores PaymentIntents and refunds in memory. As documented by Stripe, it refuses a wrong key, unknown and missing
 * parameters, steps that a PaymentIntent's status doesn't allow, and an idempotency key with other parameters. Tests can make it
 * fail before or after it carried out a request.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

export type Operation =
  "create" | "retrieve" | "confirm" | "capture" | "cancel" | "refund" | "list";

/**
 * before, after: the connection breaks before or after the request is carried out; silent: carried out, no answer; error: status 500;
 * busy: status 429.
 */
export type Fault = (typeof FAULTS)[number];
export const FAULTS = ["before", "after", "silent", "error", "busy"] as const;

interface Intent {
  readonly id: string;
  readonly object: "payment_intent";
  status: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Record<string, string>;
  last_payment_error: object | null;
  cancellation_reason: string | null;
}

interface Refund {
  readonly id: string;
  readonly object: "refund";
  readonly payment_intent: string;
  readonly amount: number;
  status: string;
  failure_reason?: string;
  readonly metadata: Record<string, string>;
}

interface Reply {
  readonly status: number;
  readonly body: object;
}

/** Form parameters of a request. Stripe treats `metadata[order]` as one parameter name. */
type Parameters = ReadonlyMap<string, string>;

const parameters: Record<Operation, RegExp> = {
  create: /^(amount|currency|capture_method|allowed_payment_method_types\[\d+\]|metadata\[\w+\])$/,
  retrieve: /^$/,
  confirm: /^(payment_method|confirmation_token|error_on_requires_action)$/,
  capture: /^amount_to_capture$/,
  cancel: /^cancellation_reason$/,
  refund: /^(payment_intent|amount|metadata\[\w+\])$/,
  list: /^(payment_intent|limit|starting_after)$/,
};

/** Accepted currencies, each with the number by which its amounts must be divisible (https://docs.stripe.com/currencies). */
const CURRENCIES: ReadonlyMap<string, number> = new Map([
  ...["aud", "nzd", "usd", "huf", "jpy", "mga"].map((currency) => [currency, 1] as const),
  ...["isk", "ugx"].map((currency) => [currency, 100] as const),
  ...["kwd"].map((currency) => [currency, 10] as const),
]);

/** Errors of Stripe's test cards that are declined, by the ids in https://docs.stripe.com/testing. */
const cards: Readonly<Record<string, { readonly code: string; readonly decline_code?: string }>> = {
  pm_card_visa_chargeDeclined: { code: "card_declined", decline_code: "generic_decline" },
  pm_card_visa_chargeDeclinedLostCard: { code: "card_declined", decline_code: "lost_card" },
  pm_card_visa_chargeDeclinedInsufficientFunds: {
    code: "card_declined",
    decline_code: "insufficient_funds",
  },
  pm_card_chargeDeclinedExpiredCard: { code: "expired_card", decline_code: "expired_card" },
  pm_card_authenticationRequired: { code: "authentication_required" },
};

export class StripeEmulator {
  static readonly KEY = "sk_test_of_these_tests";
  readonly intents = new Map<string, Intent>();
  readonly refunds: Refund[] = [];
  /** Movements of money, oldest first, for example "captured 8900". */
  readonly movements: { readonly payment: string; readonly description: string }[] = [];
  /** Operations of all requests received, oldest first. */
  readonly requests: Operation[] = [];
  /** Maximum number of items on one page of a list. Defaults to 100. */
  pageSize = 100;
  readonly #keys = new Map<
    string,
    { readonly request: string; readonly reply: Reply | undefined }
  >();
  readonly #faults: { readonly operation: Operation; readonly fault: Fault }[] = [];
  #listLagsBehind = false;
  #refundFailure: string | undefined;
  #bankHesitates = false;
  readonly #refusals = new Map<Operation, Reply>();
  readonly #server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void this.#serve(request, response);
  });

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string")
      throw new Error("the emulator has no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Makes the next request of this operation fail. Stripe's package repeats a request once if the connection breaks; that request fails, too. */
  fail(operation: Operation, fault: Fault): void {
    this.#faults.push({ operation, fault });
    if (fault === "before" || fault === "after") this.#faults.push({ operation, fault });
  }

  /** Deletes the idempotency keys, as Stripe does after a day. */
  forgetKeys(): void {
    this.#keys.clear();
  }

  /** Makes the next list of refunds empty, as if the list lagged behind. */
  lagBehind(): void {
    this.#listLagsBehind = true;
  }

  /** Makes the next refund fail at the customer's bank, for a reason of Stripe's. */
  failRefund(reason: string): void {
    this.#refundFailure = reason;
  }

  /** Makes Stripe refuse the next request of this operation with status 400, a code and the parameter that it names. */
  refuse(operation: Operation, code: string, param?: string): void {
    this.#refusals.set(operation, refuse(code, param));
  }

  /** Forgets the PaymentIntents of a payment, as if the secret key were another account's. */
  forgetIntents(payment: string): void {
    for (const { id } of this.intentsOf(payment)) this.intents.delete(id);
  }

  /** Makes the bank decline the next confirmation and accept the same card afterwards. */
  declineOnce(): void {
    this.#bankHesitates = true;
  }

  /** Cancels a payment that isn't captured, as Stripe does after a week. */
  lapse(payment: string): void {
    for (const intent of this.intents.values())
      if (intent.metadata["payment"] === payment && intent.status === "requires_capture") {
        intent.cancellation_reason = "automatic";
        this.#changeStatus(intent, "canceled", "canceled");
      }
  }

  /** Returns the movements of money of one of billing's payments, oldest first. */
  ledger(payment: string): string[] {
    return this.movements
      .filter((movement) => movement.payment === payment)
      .map(({ description }) => description);
  }

  /** Returns the PaymentIntents of one of billing's payments. */
  intentsOf(payment: string): Intent[] {
    return [...this.intents.values()].filter(({ metadata }) => metadata["payment"] === payment);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://stripe");
    const [, version, resource = "", id, step] = url.pathname.split("/");
    const operation = operationOf(request.method, resource, id, step);
    const form =
      request.method === "POST" ? new URLSearchParams(await text(request)) : url.searchParams;
    const reply = (status: number, body: object) => {
      response.writeHead(status, {
        "content-type": "application/json",
        "request-id": `req_${randomBytes(6).toString("hex")}`,
      });
      response.end(JSON.stringify(body));
    };
    if (version !== "v1" || operation === undefined) {
      reply(404, { error: { type: "invalid_request_error", message: "Unrecognized request URL" } });
      return;
    }
    if (request.headers.authorization !== `Bearer ${StripeEmulator.KEY}`) {
      reply(401, { error: { type: "invalid_request_error", message: "Invalid API Key provided" } });
      return;
    }
    this.requests.push(operation);
    const [index, fault] = this.#faults
      .map((one, at) => [at, one] as const)
      .find(([, one]) => one.operation === operation) ?? [-1, undefined];
    if (index >= 0) this.#faults.splice(index, 1);
    if (fault?.fault === "before") {
      request.socket.destroy();
      return;
    }
    if (fault?.fault === "busy") {
      reply(429, {
        error: { type: "invalid_request_error", code: "lock_timeout", message: "Busy" },
      });
      return;
    }
    const key = request.headers["idempotency-key"];
    const answer = this.#replyOnce(
      typeof key === "string" ? key : undefined,
      operation,
      id,
      form,
      fault?.fault,
    );
    if (fault?.fault === "after") request.socket.destroy();
    else if (fault?.fault !== "silent") reply(answer.status, answer.body);
  }

  /** Carries out a request once for each idempotency key. Like Stripe, repeats its first answer to a key, even a status 500. */
  #replyOnce(
    key: string | undefined,
    operation: Operation,
    id: string | undefined,
    form: URLSearchParams,
    fault: Fault | undefined,
  ): Reply {
    form.sort();
    const request = `${operation} ${id ?? ""} ${form.toString()}`;
    const earlier = key === undefined ? undefined : this.#keys.get(key);
    if (earlier !== undefined && earlier.request !== request) {
      return {
        status: 400,
        body: { error: { type: "idempotency_error", message: "Keys for idempotent requests…" } },
      };
    }
    if (earlier?.reply !== undefined) return earlier.reply;
    const invalid = validate(operation, form);
    if (invalid !== undefined) return invalid;
    const reply =
      fault === "error"
        ? { status: 500, body: { error: { type: "api_error", message: "An error occurred" } } }
        : this.#carryOut(operation, id, new Map(form));
    if (key !== undefined) this.#keys.set(key, { request, reply });
    return reply;
  }

  #carryOut(operation: Operation, id: string | undefined, form: Parameters): Reply {
    const refusal = this.#refusals.get(operation);
    this.#refusals.delete(operation);
    if (refusal !== undefined) return refusal;
    if (operation === "create") return this.#create(form);
    if (operation === "refund") return this.#refund(form);
    if (operation === "list") return this.#list(form);
    const intent = this.intents.get(id ?? "");
    if (intent === undefined) return refuse("resource_missing", "intent", 404);
    if (operation === "retrieve") return ok(intent);
    if (operation === "confirm") return this.#confirm(intent, form);
    if (operation === "capture") {
      if (intent.status !== "requires_capture") return unexpected(intent);
      return this.#changeStatus(intent, "succeeded", `captured ${intent.amount}`);
    }
    const held = intent.status === "requires_capture";
    if (!held && !["requires_payment_method", "requires_confirmation"].includes(intent.status))
      return unexpected(intent);
    intent.cancellation_reason = form.get("cancellation_reason") ?? null;
    return this.#changeStatus(intent, "canceled", held ? "canceled" : undefined);
  }

  #create(form: Parameters): Reply {
    const amount = Number(form.get("amount"));
    const currency = form.get("currency") ?? "";
    if (amount < 50) return refuse("amount_too_small", "amount");
    if (amount > 99_999_999) return refuse("amount_too_large", "amount");
    if (!CURRENCIES.has(currency)) return refuse(undefined, "currency");
    if (amount % (CURRENCIES.get(currency) ?? 1) !== 0) return refuse("invalid_amount", "amount");
    const intent: Intent = {
      ...{ id: createId("pi"), object: "payment_intent", amount, currency },
      ...{
        status: "requires_payment_method",
        metadata: metadataOf(form),
        last_payment_error: null,
        cancellation_reason: null,
      },
    };
    this.intents.set(intent.id, intent);
    return ok(intent);
  }

  #confirm(intent: Intent, form: Parameters): Reply {
    if (!["requires_payment_method", "requires_confirmation"].includes(intent.status))
      return unexpected(intent);
    const parameter = form.has("confirmation_token") ? "confirmation_token" : "payment_method";
    const method = form.get(parameter) ?? "";
    const refusal = this.#bankHesitates ? cards["pm_card_visa_chargeDeclined"] : cards[method];
    this.#bankHesitates = false;
    if (refusal !== undefined) {
      const error = { type: "card_error", ...refusal, message: "Your card was declined." };
      intent.last_payment_error = error;
      return { status: 402, body: { error: { ...error, payment_intent: intent } } };
    }
    if (!["pm_card_visa", "ctoken_visa"].includes(method))
      return refuse("resource_missing", parameter, 400, method);
    return this.#changeStatus(intent, "requires_capture", `authorised ${intent.amount}`);
  }

  #refund(form: Parameters): Reply {
    const intent = this.intents.get(form.get("payment_intent") ?? "");
    if (intent === undefined) return refuse("resource_missing", "payment_intent", 404);
    if (intent.status !== "succeeded") return unexpected(intent);
    const left = this.refunds
      .filter((refund) => refund.payment_intent === intent.id && refund.status !== "failed")
      .reduce((sum, refund) => sum - refund.amount, intent.amount);
    const amount = Number(form.get("amount") ?? left);
    if (left === 0) return refuse("charge_already_refunded", undefined);
    if (amount > left) return refuse(undefined, "amount");
    const failure = this.#refundFailure;
    this.#refundFailure = undefined;
    const refund: Refund = {
      ...{ id: createId("re"), object: "refund", payment_intent: intent.id, amount },
      ...{ status: failure === undefined ? "succeeded" : "failed", metadata: metadataOf(form) },
      ...(failure !== undefined && { failure_reason: failure }),
    };
    this.refunds.push(refund);
    if (failure !== undefined) return ok(refund);
    this.movements.push({
      payment: intent.metadata["payment"] ?? "",
      description: `refunded ${amount}`,
    });
    return ok(refund);
  }

  /** Lists the refunds of a PaymentIntent, newest first. */
  #list(form: Parameters): Reply {
    const known = this.#listLagsBehind ? [] : this.refunds;
    this.#listLagsBehind = false;
    const all = known
      .filter((refund) => refund.payment_intent === form.get("payment_intent"))
      .reverse();
    const start = all.findIndex(({ id }) => id === form.get("starting_after")) + 1;
    const size = Math.min(this.pageSize, Number(form.get("limit") ?? 10));
    const data = all.slice(start, start + size);
    return ok({ object: "list", data, has_more: start + size < all.length, url: "/v1/refunds" });
  }

  #changeStatus(intent: Intent, status: string, description: string | undefined): Reply {
    intent.status = status;
    if (description !== undefined)
      this.movements.push({ payment: intent.metadata["payment"] ?? "", description });
    return ok(intent);
  }
}

function operationOf(
  method: string | undefined,
  resource: string,
  id: string | undefined,
  step: string | undefined,
): Operation | undefined {
  const key = `${method ?? ""} ${resource}${id === undefined ? "" : "/ID"}${step === undefined ? "" : `/${step}`}`;
  const operations: Readonly<Record<string, Operation>> = {
    "POST payment_intents": "create",
    "GET payment_intents/ID": "retrieve",
    "POST payment_intents/ID/confirm": "confirm",
    "POST payment_intents/ID/capture": "capture",
    "POST payment_intents/ID/cancel": "cancel",
    "POST refunds": "refund",
    "GET refunds": "list",
  };
  return operations[key];
}

function validate(operation: Operation, form: URLSearchParams): Reply | undefined {
  const unknown = [...form.keys()].find((parameter) => !parameters[operation].test(parameter));
  if (unknown !== undefined) return refuse("parameter_unknown", unknown);
  const required = { create: ["amount", "currency"], refund: ["payment_intent"] };
  const missing = (
    operation === "create" || operation === "refund" ? required[operation] : []
  ).find((parameter) => !form.has(parameter));
  if (missing !== undefined) return refuse("parameter_missing", missing);
  const amount = form.get("amount");
  if (amount !== null && !/^\d+$/.test(amount))
    return refuse("parameter_invalid_integer", "amount");
  return undefined;
}

function ok(body: object): Reply {
  return { status: 200, body: { ...body } };
}

function refuse(
  code: string | undefined,
  param: string | undefined,
  status = 400,
  value = "",
): Reply {
  // Stripe quotes the parameter, for example the token, in its message. Billing must not log it.
  const message = `Refused: ${code ?? ""} ${param ?? ""} '${value}'`;
  return { status, body: { error: { type: "invalid_request_error", code, param, message } } };
}

function unexpected(intent: Intent): Reply {
  const error = {
    ...{ type: "invalid_request_error", code: "payment_intent_unexpected_state" },
    ...{ message: `It is ${intent.status}`, payment_intent: intent },
  };
  return { status: 400, body: { error } };
}

function metadataOf(form: Parameters): Record<string, string> {
  return Object.fromEntries(
    [...form].flatMap(([parameter, value]) => {
      const [, field] = /^metadata\[(\w+)\]$/.exec(parameter) ?? [];
      return field === undefined ? [] : [[field, value]];
    }),
  );
}

function createId(prefix: string): string {
  return `${prefix}_${randomBytes(8).toString("hex")}`;
}

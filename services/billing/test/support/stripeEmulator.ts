/**
 * Emulator of Stripe's API, written for these tests; contains none of Stripe's code. It has only the calls that billing makes
 * and stores PaymentIntents, refunds, disputes and events in memory. As documented by Stripe, it refuses a wrong key, unknown and missing
 * parameters, steps that a PaymentIntent's status doesn't allow, and an idempotency key with other parameters. Tests can make it
 * fail before or after it carried out a request.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { StripeEvents } from "./stripeEvents.ts";
import { showMethod, validCard, type PaymentMethod } from "./stripeMethods.ts";
import { createId, ok, refuse, type Parameters, type Reply } from "./stripeReplies.ts";

export type Operation =
  | "create"
  | "retrieve"
  | "confirm"
  | "capture"
  | "cancel"
  | "refund"
  | "list"
  | "events"
  | "method"
  | "token";

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

interface Dispute {
  readonly id: string;
  readonly object: "dispute";
  readonly payment_intent: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  status: string;
  readonly evidence_details: { readonly due_by: number };
}

const parameters: Record<Operation, RegExp> = {
  create: /^(amount|currency|capture_method|allowed_payment_method_types\[\d+\]|metadata\[\w+\])$/,
  retrieve: /^$/,
  confirm: /^(payment_method|confirmation_token|error_on_requires_action)$/,
  capture: /^amount_to_capture$/,
  cancel: /^cancellation_reason$/,
  refund: /^(payment_intent|amount|metadata\[\w+\])$/,
  list: /^(payment_intent|limit|starting_after)$/,
  events:
    /^(created\[(gt|gte|lt|lte)\]|delivery_success|ending_before|limit|starting_after|type|types\[\d+\])$/,
  method: /^$/,
  token: /^$/,
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
  /** Restricted key without the permission to read events. */
  static readonly KEY_WITHOUT_EVENTS = "rk_test_without_events";
  readonly intents = new Map<string, Intent>();
  readonly refunds: Refund[] = [];
  readonly disputes = new Map<string, Dispute>();
  /** PaymentMethods and ConfirmationTokens by their ids, besides Stripe's test cards. */
  readonly methods = new Map<string, PaymentMethod>();
  /** Movements of money, oldest first, for example "captured 8900". */
  readonly movements: { readonly payment: string; readonly description: string }[] = [];
  readonly events = new StripeEvents();
  /** Operations of all requests received, oldest first; without the polls of events. */
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

  /** Makes Stripe refuse the next request of this operation with a code, the parameter that it names and a status. */
  refuse(operation: Operation, code: string, param?: string, status = 400): void {
    this.#refusals.set(operation, refuse(code, param, status));
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

  /** Makes a refund that had succeeded fail, as if the customer's bank returned it. */
  failSucceededRefund(payment: string, reason: string): void {
    const refund = this.refunds.find(
      ({ status, payment_intent }) =>
        status === "succeeded" && this.intents.get(payment_intent)?.metadata["payment"] === payment,
    );
    if (refund === undefined) throw new Error(`payment ${payment} has no refund that succeeded`);
    Object.assign(refund, { status: "failed", failure_reason: reason });
    this.movements.push({ payment, description: `returned ${refund.amount}` });
    this.#addFailedRefund(refund);
  }

  /** Opens a dispute about a captured payment. Returns its id. */
  openDispute(payment: string, reason = "fraudulent", dueBy = new Date("2030-01-02")): string {
    const intent = this.intentsOf(payment).find(({ status }) => status === "succeeded");
    if (intent === undefined) throw new Error(`payment ${payment} isn't captured`);
    const { id: payment_intent, amount, currency } = intent;
    const dispute: Dispute = {
      ...{ id: createId("du"), object: "dispute", payment_intent, amount, currency, reason },
      ...{ status: "needs_response", evidence_details: { due_by: dueBy.getTime() / 1_000 } },
    };
    this.disputes.set(dispute.id, dispute);
    this.events.add("charge.dispute.created", dispute);
    return dispute.id;
  }

  changeDispute(id: string, status: "under_review" | "won" | "lost"): void {
    const dispute = this.disputes.get(id);
    if (dispute === undefined) throw new Error(`there is no dispute ${id}`);
    dispute.status = status;
    const type = status === "under_review" ? "updated" : "closed";
    this.events.add(`charge.dispute.${type}`, dispute);
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
        "request-id": createId("req"),
      });
      response.end(JSON.stringify(body));
    };
    if (version !== "v1" || operation === undefined) {
      reply(404, { error: { type: "invalid_request_error", message: "Unrecognized request URL" } });
      return;
    }
    const { KEY, KEY_WITHOUT_EVENTS } = StripeEmulator;
    const usedKey = request.headers.authorization?.replace("Bearer ", "");
    if (usedKey === KEY_WITHOUT_EVENTS && operation === "events") {
      const message = "The provided key does not have the required permissions for this endpoint";
      reply(403, { error: { type: "invalid_request_error", message } });
      return;
    }
    if (usedKey !== KEY && usedKey !== KEY_WITHOUT_EVENTS) {
      reply(401, { error: { type: "invalid_request_error", message: "Invalid API Key provided" } });
      return;
    }
    if (operation !== "events") this.requests.push(operation);
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
    if (operation === "events") return this.events.list(form, this.pageSize);
    if (operation === "method" || operation === "token") {
      const isCard = (id ?? "") in cards || ["pm_card_visa", "ctoken_visa"].includes(id ?? "");
      return showMethod(operation, id ?? "", isCard ? validCard : this.methods.get(id ?? ""));
    }
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
    const isDisputed = [...this.disputes.values()].some(
      ({ payment_intent, status }) => payment_intent === intent.id && status !== "won",
    );
    if (isDisputed) return refuse("charge_disputed", undefined);
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
    this.events.add("refund.created", refund);
    if (failure !== undefined) {
      this.#addFailedRefund(refund);
      return ok(refund);
    }
    this.movements.push({
      payment: intent.metadata["payment"] ?? "",
      description: `refunded ${amount}`,
    });
    return ok(refund);
  }

  /** Adds the events of a failed refund, of which older API versions have the first. */
  #addFailedRefund(refund: Refund): void {
    for (const type of ["charge.refund.updated", "refund.updated", "refund.failed"])
      this.events.add(type, refund);
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
    if (status === "canceled") this.events.add("payment_intent.canceled", intent);
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
    "GET events": "events",
    "GET payment_methods/ID": "method",
    "GET confirmation_tokens/ID": "token",
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

import { createHash, randomUUID } from "node:crypto";
import { problem, type Database, type Log, type Problem, type Queryable } from "@store/kit";
import { ProviderUnknown, type KnownPayment, type PaymentProvider } from "./provider.ts";
import type { Authorisation, Payment, PaymentRequest } from "./schemas.ts";

interface PaymentsOptions {
  readonly database: Database;
  readonly provider: PaymentProvider;
  readonly log: Log;
  /** For how long a call of the provider keeps others away from its payment, should its process die meanwhile. */
  readonly leaseSeconds: number;
}

/**
 * Takes money once for each id. Before the provider is called, the payment is kept and leased: whoever asks again under its
 * id, of whichever replica, is told to wait or finds out what came of it. No transaction is open while the provider is called.
 */
export class Payments {
  readonly #options: PaymentsOptions;

  constructor(options: PaymentsOptions) {
    this.#options = options;
  }

  /** Holds the amount on the customer's account, or says why not: the same again whenever it is asked. */
  async authorise(id: string, request: PaymentRequest): Promise<Authorisation> {
    const { database, provider } = this.#options;
    const tokenHash = hashToken(id, request.token);
    const claim = await database.transaction(async (transaction) => {
      const known = await lock(transaction, id);
      if (known !== undefined && !isOf(known, request, tokenHash)) throw differs(id);
      const payment = known ?? (await open(transaction, { id, request, tokenHash, provider }));
      return this.#claim(transaction, payment, ["pending"]);
    });
    const payment = await this.#finish(claim, (reference) =>
      provider.authorise({
        ...request,
        id,
        reference,
        keep: (name) => this.#keep(claim, name),
      }),
    );
    if (payment.status === "voided") throw voided(id);
    if (payment.status === "declined")
      return { id, status: "declined", reason: payment.decline_reason ?? "declined" };
    return { id, status: payment.status === "authorised" ? "authorised" : "captured" };
  }

  /** Takes all of what was authorised, once. */
  async capture(id: string): Promise<"captured"> {
    const { database, provider } = this.#options;
    const claim = await database.transaction(async (transaction) => {
      const known = await lock(transaction, id);
      if (known !== undefined) return this.#claim(transaction, known, ["authorised"]);
      if (await hasTombstone(transaction, id)) throw voided(id);
      throw problem(404, `There is no payment ${id}.`);
    });
    const { status } = await this.#finish(claim, async (reference) => ({
      status: await provider.capture({ id, reference }),
    }));
    if (status === "voided") throw voided(id);
    if (status === "declined")
      throw problem(409, `Payment ${id} was declined.`, { type: "payment-declined" });
    if (status === "pending") {
      throw problem(409, `What came of payment ${id} isn't known yet: ask for it again first.`, {
        type: "payment-pending",
      });
    }
    return "captured";
  }

  /** Lets go of what was authorised. A payment that wasn't asked for yet never will be. */
  async void(id: string): Promise<"voided" | "declined"> {
    const { database, provider } = this.#options;
    const claim = await database.transaction(async (transaction) => {
      const known = await lock(transaction, id);
      if (known !== undefined) return this.#claim(transaction, known, ["pending", "authorised"]);
      await leaveTombstone(transaction, id);
      return undefined;
    });
    if (claim === undefined) return "voided";
    const { status } = await this.#finish(claim, async (reference) => ({
      status: await provider.void({ id, reference }),
    }));
    if (status === "voided" || status === "declined") return status;
    throw problem(409, `Payment ${id} is captured: refund it instead.`, {
      type: "payment-captured",
    });
  }

  /** Takes the lease of a payment whose status is one to go on from. Refuses while somebody else has it. */
  async #claim(
    transaction: Queryable,
    payment: PaymentRow,
    goesOnFrom: readonly Payment["status"][],
  ): Promise<Claim> {
    if (!goesOnFrom.includes(payment.status)) return { payment, lease: undefined };
    if (payment.provider !== this.#options.provider.name) throw this.#notOurs(payment);
    const lease = randomUUID();
    const leased = await transaction.query(
      `UPDATE payments SET lease = $2, leased_until = clock_timestamp() + make_interval(secs => $3)
       WHERE id = $1 AND (lease IS NULL OR leased_until < clock_timestamp()) RETURNING id`,
      [payment.id, lease, this.#options.leaseSeconds],
    );
    if (leased.length === 0) throw busy(payment.id);
    return { payment, lease };
  }

  /** Calls the provider where there is something left to do, and keeps what came of it. */
  async #finish(
    { payment, lease }: Claim,
    call: (reference: KnownPayment["reference"]) => Promise<Outcome>,
  ): Promise<PaymentRow> {
    if (lease === undefined) return payment;
    const { database, log } = this.#options;
    let outcome: Outcome;
    try {
      outcome = await call(payment.provider_reference);
    } catch (error) {
      // Without this, the next one would wait for the lease to run out; if it fails, that is what happens.
      await database
        .query(`UPDATE payments SET lease = NULL, leased_until = NULL WHERE ${isLeased}`, [
          payment.id,
          lease,
        ])
        .catch((failure: unknown) => log.warn({ err: failure }, "A payment's lease is left over"));
      throw error instanceof ProviderUnknown ? this.#unknown(error) : error;
    }
    const [settled] = await database.query<PaymentRow>(
      `UPDATE payments SET status = $3, decline_reason = $4, lease = NULL, leased_until = NULL, updated_at = now()
       WHERE ${isLeased} RETURNING ${columns}`,
      [payment.id, lease, outcome.status, "reason" in outcome ? outcome.reason : null],
    );
    // Our time was over, and somebody else has it now. They find out the same from the provider.
    if (settled === undefined) throw busy(payment.id);
    return settled;
  }

  /** Keeps the provider's name for a payment, and starts the lease's time anew. */
  async #keep({ payment, lease }: Claim, reference: string): Promise<void> {
    const kept = await this.#options.database.query(
      `UPDATE payments SET provider_reference = $3, leased_until = clock_timestamp() + make_interval(secs => $4)
       WHERE ${isLeased} RETURNING id`,
      [payment.id, lease, reference, this.#options.leaseSeconds],
    );
    if (kept.length === 0) throw busy(payment.id);
  }

  #unknown(error: ProviderUnknown): Problem {
    this.#options.log.warn(`The payment provider: ${error.message}`);
    return problem(503, "The payment provider gave no answer. Ask again under the same id.", {
      headers: { "retry-after": "1" },
    });
  }

  #notOurs({ id, provider }: PaymentRow): Problem {
    const ours = this.#options.provider.name;
    this.#options.log.error(
      `A payment belongs to the provider ${String(provider)}, and PAYMENT_PROVIDER is ${ours}: set it back to finish what it has`,
    );
    return problem(503, `Payment ${id} belongs to another provider than the one in use.`, {
      headers: { "retry-after": "60" },
    });
  }
}

interface Claim {
  readonly payment: PaymentRow;
  /** Ours; undefined where there is nothing left to do. */
  readonly lease: string | undefined;
}

type Outcome =
  | { readonly status: "authorised" | "captured" | "voided" }
  | { readonly status: "declined"; readonly reason: string };

interface PaymentRow {
  readonly id: string;
  readonly order_id: string;
  readonly status: Payment["status"];
  readonly amount: number;
  readonly currency: string;
  readonly token_hash: Buffer | null;
  readonly provider: string | null;
  readonly provider_reference: string | null;
  readonly decline_reason: string | null;
}

const columns =
  "id, order_id, status, amount, currency, token_hash, provider, provider_reference, decline_reason";

/** Fences off whoever had the lease before. */
const isLeased = "id = $1 AND lease = $2";

/**
 * The payment, if there is one. Until the transaction ends, everybody else who asks for this id waits, also where there is no
 * row yet that could be locked.
 */
async function lock(transaction: Queryable, id: string): Promise<PaymentRow | undefined> {
  await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [id]);
  const [payment] = await transaction.query<PaymentRow>(
    // And for whoever is just keeping what the provider did: what is read here must still be so when the lease is taken.
    `SELECT ${columns} FROM payments WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return payment;
}

interface NewPayment {
  readonly id: string;
  readonly request: PaymentRequest;
  readonly tokenHash: Buffer;
  readonly provider: PaymentProvider;
}

/** Keeps a new payment as pending, unless it was voided before or its order has another. */
async function open(transaction: Queryable, payment: NewPayment): Promise<PaymentRow> {
  const { id, request, tokenHash, provider } = payment;
  if (await hasTombstone(transaction, id)) throw voided(id);
  const [opened] = await transaction.query<PaymentRow>(
    `INSERT INTO payments (id, order_id, status, amount, currency, token_hash, provider)
     VALUES ($1, $2, 'pending', $3, $4, $5, $6)
     ON CONFLICT DO NOTHING RETURNING ${columns}`,
    [id, request.order, request.amount.amount, request.amount.currency, tokenHash, provider.name],
  );
  if (opened !== undefined) return opened;
  throw problem(409, `Order ${request.order} has a payment already.`, {
    type: "order-already-paid",
  });
}

async function hasTombstone(transaction: Queryable, id: string): Promise<boolean> {
  const found = await transaction.query("SELECT id FROM payment_tombstones WHERE id = $1", [id]);
  return found.length > 0;
}

async function leaveTombstone(transaction: Queryable, id: string): Promise<void> {
  await transaction.query(
    "INSERT INTO payment_tombstones (id) VALUES ($1) ON CONFLICT DO NOTHING",
    [id],
  );
}

/** The token itself isn't kept. The id makes equal tokens of two payments look different. */
function hashToken(id: string, token: string): Buffer {
  return createHash("sha256").update(`${id} ${token}`).digest();
}

function isOf(payment: PaymentRow, { order, amount }: PaymentRequest, tokenHash: Buffer): boolean {
  return (
    payment.order_id === order &&
    payment.amount === amount.amount &&
    payment.currency === amount.currency &&
    (payment.token_hash === null || payment.token_hash.equals(tokenHash))
  );
}

function differs(id: string): Problem {
  return problem(422, `Payment ${id} was asked for with another order, amount or token.`, {
    type: "payment-differs",
  });
}

function voided(id: string): Problem {
  return problem(409, `Payment ${id} is voided.`, { type: "payment-voided" });
}

function busy(id: string): Problem {
  return problem(503, `Payment ${id} is being dealt with right now. Ask again under the same id.`, {
    headers: { "retry-after": "1" },
  });
}

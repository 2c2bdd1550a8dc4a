import { setTimeout as delay } from "node:timers/promises";
import { currencies, type Database } from "@store/kit";
import {
  UnknownOutcomeError,
  type AuthorisationOutcome,
  type AuthorisationRequest,
  type PaymentIdentity,
  type PaymentProvider,
  type ProviderRefundRequest,
  type RefundOutcome,
  type ValidationOutcome,
} from "../provider.ts";
import type { PaymentMethods } from "../../methods/schemas.ts";
import { declineReason, methods, validateMethod } from "./methods.ts";

interface SimulatedOptions {
  readonly database: Database;
  /** Delay of an authorisation with tok_slow, in milliseconds. */
  readonly slowMs: number;
  /** Probability (0 to 1) that an authorisation or capture with tok_flaky gets no answer. Half of those calls have taken effect. */
  readonly flakyRate: number;
}

/**
 * Simulated payment provider: moves no money, and records what it would have done in tables of its own. It uses transactions of
 * its own, as an external provider would: its work stays done even if its answer is lost.
 */
export class SimulatedProvider implements PaymentProvider {
  readonly name = "simulated";
  readonly #options: SimulatedOptions;

  constructor(options: SimulatedOptions) {
    this.#options = options;
  }

  paymentMethods(): PaymentMethods {
    return { provider: this.name, movesMoney: false, methods, currencies: [...currencies] };
  }

  validate(token: string): Promise<ValidationOutcome> {
    return Promise.resolve(validateMethod(token));
  }

  async authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome> {
    const { token } = request;
    if (token === "tok_slow") await delay(this.#options.slowMs);
    return this.#withFlakiness(token === "tok_flaky", () => this.#authorise(request));
  }

  async capture({ id }: PaymentIdentity): Promise<"captured" | "voided"> {
    const [charge] = await this.#options.database.query<{ flaky: boolean }>(
      "SELECT flaky FROM simulated_charges WHERE id = $1",
      [id],
    );
    return this.#withFlakiness(charge?.flaky === true, async () => {
      const status = await this.#changeStatus(id, "captured");
      if (status === "captured" || status === "voided") return status;
      throw new Error(
        `The simulated provider can't capture a charge that is ${status ?? "unknown"}`,
      );
    });
  }

  async void({ id }: PaymentIdentity): Promise<"voided" | "captured"> {
    // Store the unknown charge as voided, so that an authorisation that arrives later is refused.
    const unknownCharge = await this.#options.database.query(
      "INSERT INTO simulated_charges (id, status) VALUES ($1, 'voided') ON CONFLICT DO NOTHING RETURNING id",
      [id],
    );
    if (unknownCharge.length > 0) return "voided";
    return (await this.#changeStatus(id, "voided")) === "captured" ? "captured" : "voided";
  }

  async refund({ id, payment, amount }: ProviderRefundRequest): Promise<RefundOutcome> {
    return this.#options.database.transaction<RefundOutcome>(async (transaction) => {
      const [charge] = await transaction.query<{ order_id: string; captured: number }>(
        `SELECT order_id, amount AS captured FROM simulated_charges
         WHERE id = $1 AND status = 'captured' FOR UPDATE`,
        [payment.id],
      );
      if (charge === undefined) return { status: "failed", reason: "charge_not_captured" };
      const [earlier = { refunded: 0, known: false }] = await transaction.query<{
        refunded: number;
        known: boolean;
      }>(
        `SELECT coalesce(sum(amount), 0)::bigint AS refunded, coalesce(bool_or(refund_id = $2), false) AS known
         FROM simulated_ledger WHERE charge_id = $1 AND kind = 'refunded'`,
        [payment.id, id],
      );
      if (earlier.known) return { status: "succeeded" };
      if (earlier.refunded + amount.amount > charge.captured)
        return { status: "failed", reason: "charge_already_refunded" };
      await transaction.query(
        `INSERT INTO simulated_ledger (charge_id, order_id, kind, refund_id, amount)
         VALUES ($1, $2, 'refunded', $3, $4)`,
        [payment.id, charge.order_id, id, amount.amount],
      );
      return { status: "succeeded" };
    });
  }

  async #authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome> {
    const { id, order, amount, token } = request;
    const declined = declineReason(token);
    const status = declined === undefined ? "authorised" : "declined";
    return this.#options.database.transaction(async (transaction) => {
      const inserted = await transaction.query(
        `INSERT INTO simulated_charges (id, order_id, amount, currency, status, decline_reason, flaky)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`,
        [id, order, amount.amount, amount.currency, status, declined, token === "tok_flaky"],
      );
      if (inserted.length > 0 && declined === undefined) {
        await transaction.query(
          `INSERT INTO simulated_ledger (charge_id, order_id, kind, amount) VALUES ($1, $2, 'authorised', $3)`,
          [id, order, amount.amount],
        );
      }
      const [charge] = await transaction.query<Charge>(
        "SELECT status, decline_reason FROM simulated_charges WHERE id = $1",
        [id],
      );
      if (charge === undefined) throw new Error("a charge that was just stored is missing");
      return charge.status === "declined"
        ? { status: "declined", reason: charge.decline_reason ?? "declined" }
        : { status: charge.status };
    });
  }

  /** Captures or voids an authorised charge. Returns the charge's status afterwards, or undefined if there is no such charge. */
  async #changeStatus(
    id: string,
    status: "captured" | "voided",
  ): Promise<AuthorisationOutcome["status"] | undefined> {
    return this.#options.database.transaction(async (transaction) => {
      await transaction.query(
        `WITH moved AS (
           UPDATE simulated_charges SET status = $2 WHERE id = $1 AND status = 'authorised'
           RETURNING id, order_id, amount
         )
         INSERT INTO simulated_ledger (charge_id, order_id, kind, amount)
         SELECT id, order_id, $2, amount FROM moved`,
        [id, status],
      );
      const [charge] = await transaction.query<Charge>(
        "SELECT status FROM simulated_charges WHERE id = $1",
        [id],
      );
      return charge?.status;
    });
  }

  /**
   * Runs the operation. With a flaky card the call sometimes fails: before the operation, or after it took effect.
   *
   * @throws UnknownOutcomeError when it fails.
   */
  async #withFlakiness<T>(flaky: boolean, work: () => Promise<T>): Promise<T> {
    const fails = flaky && Math.random() < this.#options.flakyRate;
    const afterEffect = Math.random() < 0.5;
    if (fails && !afterEffect)
      throw new UnknownOutcomeError("tok_flaky: no answer, not carried out");
    const outcome = await work();
    if (fails) throw new UnknownOutcomeError("tok_flaky: no answer, carried out");
    return outcome;
  }
}

interface Charge {
  readonly status: AuthorisationOutcome["status"];
  readonly decline_reason: string | null;
}

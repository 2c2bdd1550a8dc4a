import { randomUUID } from "node:crypto";
import { outcome, Replicas, until, type Answer, type RunningService } from "@store/kit/testing";

export interface Charge {
  readonly order: string;
  readonly amount: { readonly amount: number; readonly currency: string };
  readonly token: string;
}

export function charge(token: string, amount = 8_900): Charge {
  return { order: randomUUID(), amount: { amount, currency: "AUD" }, token };
}

/** Response of GET /api/billing/payment-methods. */
export interface Methods {
  readonly provider: string;
  readonly movesMoney: boolean;
  readonly currencies?: readonly string[];
  readonly methods: readonly {
    readonly token: string;
    readonly name: string;
    readonly description: string;
    readonly outcome: string;
    readonly reason?: string;
  }[];
}

/** A change in the response of GET /internal/payments/changes. */
export interface Change {
  readonly change: number;
  readonly payment: string;
  readonly order: string;
  readonly kind: string;
  readonly subject?: string;
  readonly amount?: { readonly amount: number; readonly currency: string };
  readonly reason?: string;
  readonly respondBy?: string;
}

/** Two replicas of billing, with a method for each of the service's calls. */
export class Billing {
  readonly replicas: Replicas;

  private constructor(replicas: Replicas) {
    this.replicas = replicas;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Billing> {
    return new Billing(await Replicas.start("billing", 2, environment));
  }

  stop(): Promise<void> {
    return this.replicas.stop();
  }

  authorise(id: string, body: object, replica?: RunningService): Promise<Answer> {
    return this.replicas.send("PUT", `/internal/payments/${id}`, body, {}, replica);
  }

  validate(token: string): Promise<Answer> {
    return this.replicas.send("POST", `/internal/payments/${randomUUID()}/validate`, { token });
  }

  capture(id: string): Promise<Answer> {
    return this.replicas.send("POST", `/internal/payments/${id}/capture`);
  }

  void(id: string): Promise<Answer> {
    return this.replicas.send("POST", `/internal/payments/${id}/void`);
  }

  /** Refunds a payment, with a new idempotency key by default. */
  refund(id: string, body: object, key: string = randomUUID()): Promise<Answer> {
    return this.replicas.asStaff("POST", `/api/billing/payments/${id}/refunds`, body, {
      "idempotency-key": key,
    });
  }

  payment(id: string): Promise<Answer> {
    return this.replicas.asStaff("GET", `/api/billing/payments/${id}`);
  }

  /** Returns the changes of a payment that orders follow, oldest first. */
  async changes(payment: string): Promise<readonly Change[]> {
    const path = "/internal/payments/changes?limit=1000";
    const { body } = await this.replicas.send("GET", path);
    return (body["items"] as readonly Change[]).filter((change) => change.payment === payment);
  }

  async methods(): Promise<Omit<Answer, "body"> & { readonly body: Methods }> {
    const answer = await this.replicas.send("GET", "/api/billing/payment-methods");
    return { ...answer, body: answer.body as unknown as Methods };
  }

  /** Authorises a new payment, then carries out the given steps. Returns the payment's id and the request. */
  async createPayment(
    request: Charge,
    ...steps: readonly ("capture" | "void")[]
  ): Promise<{ readonly id: string; readonly request: Charge }> {
    const id = randomUUID();
    await this.authorise(id, request);
    for (const step of steps) await this[step](id);
    return { id, request };
  }

  /** Repeats a call until its answer isn't 503, as the orders service does. */
  async retryUntilKnown(call: () => Promise<Answer>): Promise<Answer> {
    let answer = await call();
    await until("the payment's outcome is known", async () => {
      if (answer.status !== 503) return true;
      answer = await call();
      return answer.status !== 503;
    });
    return answer;
  }

  /** Ends the lease that a call has, or had before its process died. Waits until the call has it. */
  expireLease(id: string): Promise<void> {
    return until("a call has the payment's lease", async () => {
      const expired = await this.replicas.database.query(
        `UPDATE payments SET leased_until = clock_timestamp() - interval '1 second'
         WHERE id = $1 AND lease IS NOT NULL RETURNING id`,
        [id],
      );
      return expired.length === 1;
    });
  }

  /** Returns the simulated provider's ledger entries for an order, oldest first, for example "captured 8900". */
  async ledger(order: string): Promise<readonly string[]> {
    const entries = await this.replicas.database.query<{ kind: string; amount: string }>(
      "SELECT kind, amount FROM simulated_ledger WHERE order_id = $1 ORDER BY entry",
      [order],
    );
    return entries.map(({ kind, amount }) => `${kind} ${amount}`);
  }
}

export { outcome };

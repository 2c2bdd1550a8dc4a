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

/** What can be paid with, as it is published. */
export interface Methods {
  readonly provider: string;
  readonly movesMoney: boolean;
  readonly methods: readonly {
    readonly token: string;
    readonly name: string;
    readonly description: string;
    readonly outcome: string;
    readonly reason?: string;
  }[];
}

/** Replicas of billing, by the calls that it takes. */
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

  capture(id: string): Promise<Answer> {
    return this.replicas.send("POST", `/internal/payments/${id}/capture`);
  }

  void(id: string): Promise<Answer> {
    return this.replicas.send("POST", `/internal/payments/${id}/void`);
  }

  refund(id: string, body: object, key?: string): Promise<Answer> {
    const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": key };
    return this.replicas.asStaff("POST", `/api/billing/payments/${id}/refunds`, body, headers);
  }

  payment(id: string): Promise<Answer> {
    return this.replicas.asStaff("GET", `/api/billing/payments/${id}`);
  }

  async methods(): Promise<Omit<Answer, "body"> & { readonly body: Methods }> {
    const answer = await this.replicas.send("GET", "/api/billing/payment-methods");
    return { ...answer, body: answer.body as unknown as Methods };
  }

  /** A new payment as it is after the steps. */
  async paid(
    request: Charge,
    ...steps: readonly ("capture" | "void")[]
  ): Promise<{ readonly id: string; readonly request: Charge }> {
    const id = randomUUID();
    await this.authorise(id, request);
    for (const step of steps) await this[step](id);
    return { id, request };
  }

  /** Asks until it is known what came of it, as orders does. */
  async insist(ask: () => Promise<Answer>): Promise<Answer> {
    let answer = await ask();
    await until("the payment's outcome is known", async () => {
      if (answer.status !== 503) return true;
      answer = await ask();
      return answer.status !== 503;
    });
    return answer;
  }

  /** What the simulated provider did for an order, in the order in which it did it: "captured 8900", say. */
  async ledger(order: string): Promise<readonly string[]> {
    const entries = await this.replicas.database.query<{ kind: string; amount: string }>(
      "SELECT kind, amount FROM simulated_ledger WHERE order_id = $1 ORDER BY entry",
      [order],
    );
    return entries.map(({ kind, amount }) => `${kind} ${amount}`);
  }
}

export { outcome };

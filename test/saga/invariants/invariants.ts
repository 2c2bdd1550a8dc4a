/** The invariants of the back end, by the names that the tests' output and the mutation tests use. */
export const invariants = {
  ends: "every accepted order ends, without manual intervention",
  stock: "committed + held ≤ the stock, and no stock is lost",
  validated: "stock is reserved only after billing accepted the payment method",
  charge: "an order has at most one capture, of its total",
  together: "captured and not refunded completely ⇔ committed ⇔ exactly one shipment ⇔ confirmed",
  released: "a cancelled order holds no stock and no authorisation",
  tombstone: "a late call for something cancelled is rejected",
  books: "billing's payments and refunds match the payment provider's ledger",
  replay:
    "the same key and body get the same response, also after a rejection, and a rejected request has no order",
  reuse: "the same key with another body is rejected with 422",
  once: "one key creates one order",
  lease: "no order is processed by two replicas at once",
  history: "an order has each status once, and in the right sequence",
  token: "the payment token is erased when it is no longer needed",
  errors: "no service responds 500 or logs an error",
} as const;
export type Invariant = keyof typeof invariants;

/** Counts the checks by invariant and collects the violations. */
export class InvariantResults {
  readonly checked = new Map<Invariant, number>();
  readonly violations: { readonly invariant: Invariant; readonly detail: string }[] = [];

  check(invariant: Invariant, holds: boolean, detail: string): void {
    this.checked.set(invariant, (this.checked.get(invariant) ?? 0) + 1);
    if (!holds) this.violations.push({ invariant, detail });
  }

  /** The violated invariants, each once. */
  get violatedInvariants(): Invariant[] {
    return [...new Set(this.violations.map(({ invariant }) => invariant))];
  }

  toString(): string {
    return this.violations
      .map(({ invariant, detail }) => `${invariants[invariant]} (${invariant}): ${detail}`)
      .join("\n");
  }
}

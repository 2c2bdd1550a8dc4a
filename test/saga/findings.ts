/** What must hold, by the names that the tests' output and the mutation check use. */
export const invariants = {
  ends: "every order that was answered 2xx ends, and none is left to people",
  stock: "committed + held ≤ the stock that was put, and nothing is lost",
  charge: "at most one capture for an order, and equal to its total",
  together: "captured ⇔ committed ⇔ exactly one shipment ⇔ confirmed",
  released: "an order that was cancelled holds no stock and no authorisation",
  tombstone: "a late call for something cancelled is refused",
  books: "what billing says is what the provider's books say, refunds too",
  replay:
    "the same key and body get the same bytes, also of a refusal, and whoever was refused has no order",
  reuse: "the same key with another body is refused with 422",
  once: "one key makes one order",
  lease: "no order is driven by two replicas at once",
  history: "an order has each status once, and in the right order",
  token: "the payment token is erased when it isn't needed any more",
  errors: "no service answers 500 or logs an error of its own",
} as const;
export type Invariant = keyof typeof invariants;

/** Counts what was checked and keeps what didn't hold. */
export class InvariantResults {
  readonly checked = new Map<Invariant, number>();
  readonly violations: { readonly invariant: Invariant; readonly detail: string }[] = [];

  check(invariant: Invariant, holds: boolean, detail: string): void {
    this.checked.set(invariant, (this.checked.get(invariant) ?? 0) + 1);
    if (!holds) this.violations.push({ invariant, detail });
  }

  /** Which invariants didn't hold. */
  get violatedInvariants(): Invariant[] {
    return [...new Set(this.violations.map(({ invariant }) => invariant))];
  }

  toString(): string {
    return this.violations
      .map(({ invariant, detail }) => `${invariants[invariant]} (${invariant}): ${detail}`)
      .join("\n");
  }
}

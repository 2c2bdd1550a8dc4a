import { ok, refuse, type Reply } from "./stripeReplies.ts";

/** The properties of a PaymentMethod that matter here. */
export interface PaymentMethod {
  readonly type: string;
  readonly customer: string | null;
  readonly card?: { readonly exp_month: number; readonly exp_year: number };
}

export const validCard: PaymentMethod = {
  type: "card",
  customer: null,
  card: { exp_month: 12, exp_year: 2099 },
};

/** Shows a PaymentMethod ("method") or a ConfirmationToken ("token") that exists. */
export function showMethod(
  kind: "method" | "token",
  id: string,
  method: PaymentMethod | undefined,
): Reply {
  const isToken = kind === "token";
  if (method === undefined || id.startsWith("ctoken_") !== isToken)
    return refuse("resource_missing", isToken ? "confirmation_token" : "payment_method", 404, id);
  return ok(
    isToken
      ? { id, object: "confirmation_token", payment_method_preview: method }
      : { id, object: "payment_method", ...method },
  );
}

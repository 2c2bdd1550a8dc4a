import { ok, refuse, type Reply } from "./stripeReplies.ts";

/** The properties of a PaymentMethod that matter here. */
export interface PaymentMethod {
  readonly type: string;
  readonly customer: string | null;
  readonly card?: { readonly exp_month: number; readonly exp_year: number };
  /** Properties of a ConfirmationToken itself. @default unused and valid */
  readonly token?: TokenState;
}

interface TokenState {
  /** In seconds since 1970. */
  readonly expires_at: number | null;
  /** ID of the PaymentIntent that was confirmed with it; null before that. */
  readonly payment_intent: string | null;
}

export const validCard: PaymentMethod = {
  type: "card",
  customer: null,
  card: { exp_month: 12, exp_year: 2099 },
};

const UNUSED: TokenState = { expires_at: 4_000_000_000, payment_intent: null };

/** Shows a PaymentMethod ("method") or a ConfirmationToken ("token") that exists. */
export function showMethod(
  kind: "method" | "token",
  id: string,
  method: PaymentMethod | undefined,
): Reply {
  const isToken = kind === "token";
  if (method === undefined || id.startsWith("ctoken_") !== isToken)
    return refuse("resource_missing", isToken ? "confirmation_token" : "payment_method", 404, id);
  const { token = UNUSED, ...preview } = method;
  return ok(
    isToken
      ? { id, object: "confirmation_token", ...token, payment_method_preview: preview }
      : { id, object: "payment_method", ...preview },
  );
}

import type { PaymentMethods } from "../../gateway/paymentMethods.ts";
import type { FieldErrors } from "../../html/fieldErrors.ts";
import type { Fields } from "../../http/forms.ts";
import type { PricedLine } from "../basket/pricedLines.ts";

/** Everything that the checkout's page shows. */
export interface Checkout {
  /** Idempotency key of the order. */
  readonly key: string;
  /** The basket in the format of the cookie. The order consists of what the page shows, even if the basket changes meanwhile. */
  readonly basket: string;
  /** The total, for a hidden field. */
  readonly total: string;
  /** The total, for display. */
  readonly displayedTotal: string;
  /** `undefined` while the catalogue is unavailable. */
  readonly lines?: readonly PricedLine[] | undefined;
  readonly fields: Fields;
  /** `undefined` while the payment methods are unknown. */
  readonly payment: PaymentMethods | undefined;
  readonly errors?: FieldErrors;
  /** Message at the top of the page. */
  readonly notice?: string;
  /** The order that was sent, as JSON, if its outcome is unknown. */
  readonly attempt?: string;
}

/** Name of the button that reloads the page with everything entered so far. */
export const TRY_AGAIN = "try-again";

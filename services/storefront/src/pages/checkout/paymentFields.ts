import { errorAttributes, errorText } from "../../html/fieldErrors.ts";
import { html, type Html } from "../../html/html.ts";
import type { Checkout } from "./checkout.ts";

/** The choice of a payment method. */
export function paymentFields(checkout: Checkout): Html {
  const { payment, fields, errors = new Map() } = checkout;
  if (payment === undefined || payment.methods.length === 0) return unknownPayment(checkout);
  const chosen =
    payment.methods.find(({ token }) => token === fields["token"]) ?? payment.methods[0];
  const hint = payment.movesMoney
    ? "Choose a payment method."
    : "This is a demo shop: no real payments are made. Choose how the test bank should respond.";
  return html`<fieldset class="cards" ${errorAttributes("token", errors, "cards-hint")}>
    <legend><h2>Payment</h2></legend>
    <p class="fine" id="cards-hint">${hint}</p>
    ${errorText("token", errors)}
    ${payment.methods.map(
      ({ token, name, description }, index) =>
        html`<label class="choice">
          <input
            type="radio"
            name="token"
            value="${token}"
            ${index === 0 ? html`id="token"` : undefined}
            ${token === chosen?.token ? html`checked` : undefined}
            required
          />
          <span><strong>${name}</strong> <span class="fine">${description}</span></span>
        </label>`,
    )}
  </fieldset>`;
}

/** Replaces the choice while the payment methods are unknown. A method that was chosen before is kept. */
function unknownPayment({ fields }: Checkout): Html {
  const { token } = fields;
  return html`<fieldset class="cards">
    <legend><h2>Payment</h2></legend>
    <p class="fine">
      ${
        token === undefined
          ? "Payment methods are temporarily unavailable."
          : "Other payment methods are temporarily unavailable. The one you chose is still selected."
      }
    </p>
    ${token === undefined ? undefined : html`<input type="hidden" name="token" value="${token}" />`}
  </fieldset>`;
}

import { errorAttributes, errorText, type FieldErrors } from "../../html/fieldErrors.ts";
import { html, type Html } from "../../html/html.ts";
import type { Fields } from "../../http/forms.ts";
import { reducedQuantity, unavailableText } from "../basket/pricedLines.ts";
import { TRY_AGAIN, type Checkout } from "./checkout.ts";
import {
  addressFields,
  contactFields,
  countryOptions,
  fieldLabel,
  type Field,
} from "./checkoutFields.ts";
import { closedCheckoutPage, orderSummary } from "./orderSummary.ts";
import { paymentFields } from "./paymentFields.ts";

const NO_ERRORS: FieldErrors = new Map();

export function checkoutPage(checkout: Checkout): Html {
  // Without payment methods there is no form, so that nobody fills it in for nothing. A form whose order may already exist must
  // remain available.
  const isClosed = checkout.payment?.methods.length === 0 && firstAttempt(checkout) === undefined;
  return isClosed ? closedCheckoutPage(checkout) : formPage(checkout);
}

function formPage(checkout: Checkout): Html {
  const { fields, errors = NO_ERRORS, lines } = checkout;
  const isAdjustable = lines?.some((line) => reducedQuantity(line) !== undefined) ?? false;
  return html`<div class="wrap">
    <h1>Checkout</h1>
    ${errorSummary(checkout)}
    <form class="checkout" method="post" action="/checkout">
      <input type="hidden" name="key" value="${checkout.key}" />
      <input type="hidden" name="basket" value="${checkout.basket}" />
      <input type="hidden" name="total" value="${checkout.total}" />
      ${attemptField(checkout)} ${isAdjustable ? defaultButton(checkout) : undefined}
      <div class="checkout-fields">
        <fieldset>
          <legend><h2>Contact</h2></legend>
          ${contactFields.map((field) => textField(field, fields, errors))}
        </fieldset>
        <fieldset>
          <legend><h2>Delivery address</h2></legend>
          ${addressFields.map((field) => textField(field, fields, errors))}
          ${countryField(fields["country"] ?? "AU", errors)}
        </fieldset>
        ${paymentFields(checkout)}
      </div>
      ${orderSummary(checkout, submitButton(checkout))}
    </form>
  </div>`;
}

function submitButton(checkout: Checkout): Html {
  return canOrder(checkout)
    ? html`<button class="button wide">Place order</button>
        <p class="fine">You will only be charged once. <a href="/basket">Edit basket</a></p>`
    : html`<button class="button wide" name="${TRY_AGAIN}" value="yes" formnovalidate>
          Try again
        </button>
        <p class="fine"><a href="/basket">Edit basket</a></p>`;
}

/** A payment method that was chosen while billing was available remains valid. */
function canOrder({ payment, fields }: Checkout): boolean {
  return payment !== undefined || fields["token"] !== undefined;
}

/** An invisible first button: the Enter key presses the first button, which must not be one that removes an item. */
function defaultButton(checkout: Checkout): Html {
  const name = canOrder(checkout) ? undefined : html`name="${TRY_AGAIN}" value="yes"`;
  return html`<button class="visually-hidden" tabindex="-1" aria-hidden="true" ${name}>
    Place order
  </button>`;
}

/** The first attempt is kept over later ones, because it is the one that may have placed the order. */
function firstAttempt({ attempt, fields }: Checkout): string | undefined {
  return fields["attempt"] ?? attempt;
}

function attemptField(checkout: Checkout): Html | undefined {
  const attempt = firstAttempt(checkout);
  return attempt === undefined
    ? undefined
    : html`<input type="hidden" name="attempt" value="${attempt}" />`;
}

const PAYMENT_UNAVAILABLE =
  "Payment is temporarily unavailable because part of our shop isn’t responding. " +
  "What you enter here is kept; please try again in a moment.";

function errorSummary(checkout: Checkout): Html | undefined {
  const { errors = NO_ERRORS, lines = [] } = checkout;
  const notice = checkout.notice ?? (canOrder(checkout) ? undefined : PAYMENT_UNAVAILABLE);
  if (notice === undefined) return undefined;
  const unavailable = lines.filter((line) => reducedQuantity(line) !== undefined);
  const fieldErrors = [...errors].filter(([field]) => !field.startsWith("item-"));
  return html`<div class="banner bad" role="alert" tabindex="-1" autofocus>
    <p>${notice}</p>
    ${
      unavailable.length + fieldErrors.length === 0
        ? undefined
        : html`<ul>
            ${unavailable.map((line) => html`<li><a href="#item-${line.sku}">${unavailableText(line)}</a></li>`)}
            ${fieldErrors.map(([field, text]) => html`<li><a href="#${field}">${fieldLabel(field)}: ${text}</a></li>`)}
          </ul>`
    }
  </div>`;
}

function textField(field: Field, fields: Fields, errors: FieldErrors): Html {
  const { name, label, type = "text", optional, hint, autocomplete, maxlength } = field;
  return html`<div class="field field-${name}">
    <label for="${name}"
      >${label} ${optional === true ? html`<span class="fine">(optional)</span>` : undefined}</label
    >
    ${hint && html`<p class="fine" id="${name}-hint">${hint}</p>`}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      maxlength="${maxlength}"
      value="${fields[name]}"
      ${optional === true ? undefined : html`required`}
      ${errorAttributes(name, errors, hint && `${name}-hint`)}
    />
    ${errorText(name, errors)}
  </div>`;
}

function countryField(selected: string, errors: FieldErrors): Html {
  return html`<div class="field">
    <label for="country">Country</label>
    <select
      id="country"
      name="country"
      autocomplete="country"
      required
      ${errorAttributes("country", errors)}
    >
      ${countryOptions.map(
        ({ code, name }) =>
          html`<option value="${code}" ${code === selected ? html`selected` : undefined}>
            ${name}
          </option>`,
      )}
    </select>
    ${errorText("country", errors)}
  </div>`;
}

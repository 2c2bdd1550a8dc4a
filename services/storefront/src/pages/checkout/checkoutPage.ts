import { nameOf, onlyLeft, trouble, type PricedLine } from "../basket/pricedLines.ts";
import { addressFields, contactFields, countryOptions, type Field } from "./checkoutForm.ts";
import { complaint, describedBy, type Complaints } from "../../html/fieldErrors.ts";
import type { Fields } from "../../http/forms.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import type { PaymentMethods } from "../../gateway/paymentMethods.ts";

export interface Checkout {
  readonly key: string;
  /** As the cookie has it: what is ordered is what was shown, whatever is put into the basket meanwhile. */
  readonly basket: string;
  /** What it comes to, for the form to say again. */
  readonly total: string;
  /** The same for people. */
  readonly toPay: string;
  /** `undefined` while the catalogue can't be reached. */
  readonly lines?: readonly PricedLine[] | undefined;
  readonly fields: Fields;
  /** `undefined` while nobody knows what can be paid with. */
  readonly payment: PaymentMethods | undefined;
  readonly complaints?: Complaints;
  /** What the customer must know before anything else. */
  readonly notice?: string;
  /** What was sent when nobody knew whether it arrived. */
  readonly attempt?: string;
}

const NONE: Complaints = new Map();

/** The field of the button that asks for the same page once more, with all that was entered. */
export const LOOK_AGAIN = "look-again";

export function checkoutPage(checkout: Checkout): Html {
  const { payment } = checkout;
  // Before anybody has filled anything in for nothing. What may have been ordered already can still be asked for.
  const isClosed = payment?.methods.length === 0 && firstAttempt(checkout) === undefined;
  return isClosed ? closedPage(checkout) : formPage(checkout);
}

/** Cards can be entered into the provider's own form only, and this shop hasn't got it. */
function closedPage({ lines, toPay }: Checkout): Html {
  return html`<div class="wrap narrow">
    <h1>Checkout</h1>
    <div class="banner bad" role="alert">
      <p>We can’t take cards here yet, so nothing can be ordered. Your basket stays as it is.</p>
    </div>
    <section class="order-summary" aria-labelledby="summary">
      <h2 id="summary">Your basket</h2>
      ${
        lines &&
        html`<ul>
          ${lines.map((line) => html`<li>${namedLine(line)}</li>`)}
        </ul>`
      }
      <p class="total"><span>Together</span> <strong>${toPay}</strong></p>
      <p><a href="/basket">Back to your basket</a></p>
    </section>
  </div>`;
}

function formPage(checkout: Checkout): Html {
  const { fields, complaints = NONE, lines } = checkout;
  const country = fields["country"] ?? "AU";
  const adjustable = lines?.some((line) => onlyLeft(line) !== undefined) ?? false;
  return html`<div class="wrap">
    <h1>Checkout</h1>
    ${summary(checkout)}
    <form class="checkout" method="post" action="/checkout">
      <input type="hidden" name="key" value="${checkout.key}" />
      <input type="hidden" name="basket" value="${checkout.basket}" />
      <input type="hidden" name="total" value="${checkout.total}" />
      ${attempt(checkout)} ${adjustable ? enterButton(checkout) : undefined}
      <div class="checkout-fields">
        <fieldset>
          <legend><h2>Who you are</h2></legend>
          ${contactFields.map((field) => input(field, fields, complaints))}
        </fieldset>
        <fieldset>
          <legend><h2>Where it goes</h2></legend>
          ${addressFields.map((field) => input(field, fields, complaints))}
          <div class="field">
            <label for="country">Country</label>
            <select
              id="country"
              name="country"
              autocomplete="country"
              required
              ${describedBy("country", complaints)}
            >
              ${countryOptions.map(
                ({ code, name }) =>
                  html`<option value="${code}" ${code === country ? html`selected` : undefined}>
                    ${name}
                  </option>`,
              )}
            </select>
            ${complaint("country", complaints)}
          </div>
        </fieldset>
        ${paymentChoice(checkout)}
      </div>
      <section class="order-summary" aria-labelledby="summary">
        <h2 id="summary">Your order</h2>
        ${
          lines &&
          html`<ul>
            ${lines.map((line, index) => summaryLine(line, complaints.get(`item-${index}`)))}
          </ul>`
        }
        <p class="total"><span>To pay</span> <strong>${checkout.toPay}</strong></p>
        ${
          canOrder(checkout)
            ? html`<button class="button wide">Place order</button>
                <p class="fine">
                  You pay once, however often you press. <a href="/basket">Change your basket</a>
                </p>`
            : html`<button class="button wide" name="${LOOK_AGAIN}" value="yes" formnovalidate>
                  Look again
                </button>
                <p class="fine"><a href="/basket">Change your basket</a></p>`
        }
      </section>
    </form>
  </div>`;
}

/** What was chosen before billing went is still a way to pay. */
function canOrder({ payment, fields }: Checkout): boolean {
  return payment !== undefined || fields["token"] !== undefined;
}

/** The Enter key presses a form's first button, and that must not be one that takes something out. */
function enterButton(checkout: Checkout): Html {
  const name = canOrder(checkout) ? undefined : html`name="${LOOK_AGAIN}" value="yes"`;
  return html`<button class="visually-hidden" tabindex="-1" aria-hidden="true" ${name}>
    Place order
  </button>`;
}

/** Kept over further attempts: it is the first one that may have arrived. */
function firstAttempt({ attempt, fields }: Checkout): string | undefined {
  return fields["attempt"] ?? attempt;
}

function attempt(checkout: Checkout): Html | undefined {
  const kept = firstAttempt(checkout);
  return kept === undefined
    ? undefined
    : html`<input type="hidden" name="attempt" value="${kept}" />`;
}

const UNKNOWN_PAYMENT =
  "We can’t find out right now how you can pay: that part of our shop doesn’t answer. " +
  "What you enter here stays; please look again in a moment.";

function summary(checkout: Checkout): Html | undefined {
  const { complaints = NONE, lines = [] } = checkout;
  const notice = checkout.notice ?? (canOrder(checkout) ? undefined : UNKNOWN_PAYMENT);
  if (notice === undefined) return undefined;
  const missing = lines.filter((line) => onlyLeft(line) !== undefined);
  const fieldComplaints = [...complaints].filter(([field]) => !field.startsWith("item-"));
  return html`<div class="banner bad" role="alert" tabindex="-1" autofocus>
    <p>${notice}</p>
    ${
      missing.length + fieldComplaints.length === 0
        ? undefined
        : html`<ul>
            ${missing.map((line) => html`<li><a href="#item-${line.sku}">${trouble(line)}</a></li>`)}
            ${fieldComplaints.map(([field, text]) => html`<li><a href="#${field}">${labelOf(field)}: ${text}</a></li>`)}
          </ul>`
    }
  </div>`;
}

function labelOf(field: string): string {
  const found = [...contactFields, ...addressFields].find(({ name }) => name === field);
  return found?.label ?? { country: "Country", token: "Payment" }[field] ?? field;
}

function input(field: Field, fields: Fields, complaints: Complaints): Html {
  const { name, label, type = "text", optional, hint, autocomplete, maxlength } = field;
  return html`<div class="field field-${name}">
    <label for="${name}"
      >${label} ${optional === true ? html`<span class="fine">optional</span>` : undefined}</label
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
      ${describedBy(name, complaints, hint && `${name}-hint`)}
    />
    ${complaint(name, complaints)}
  </div>`;
}

function paymentChoice(checkout: Checkout): Html {
  const { payment, fields, complaints = NONE } = checkout;
  if (payment === undefined || payment.methods.length === 0) return unknownPayment(checkout);
  const chosen =
    payment.methods.find(({ token }) => token === fields["token"]) ?? payment.methods[0];
  const hint = payment.movesMoney
    ? "Choose what you pay with."
    : "This shop is a demonstration: no money moves. Choose what its make-believe bank shall say.";
  return html`<fieldset class="cards" ${describedBy("token", complaints, "cards-hint")}>
    <legend><h2>How you pay</h2></legend>
    <p class="fine" id="cards-hint">${hint}</p>
    ${complaint("token", complaints)}
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

function unknownPayment({ fields }: Checkout): Html {
  const { token } = fields;
  return html`<fieldset class="cards">
    <legend><h2>How you pay</h2></legend>
    <p class="fine">
      ${
        token === undefined
          ? "We don’t know yet what we can offer you here."
          : "We can’t show you right now what there is to choose from. Your choice stays as it was."
      }
    </p>
    ${token === undefined ? undefined : html`<input type="hidden" name="token" value="${token}" />`}
  </fieldset>`;
}

function summaryLine(line: PricedLine, said: string | undefined): Html {
  const { sku } = line;
  const left = onlyLeft(line);
  const text = trouble(line) ?? said;
  return html`<li id="item-${sku}">
    ${namedLine(line)} ${text && html`<span class="error">${text}</span>`}
    ${
      left === undefined
        ? undefined
        : html`<button
            class="button small quiet"
            name="adjust"
            value="${sku}*${left}"
            formnovalidate
          >
            ${left === 0 ? "Leave it out" : `Take ${left} instead`}<span class="visually-hidden"
              >: ${nameOf(line)}</span
            >
          </button>`
    }
  </li>`;
}

function namedLine(line: PricedLine): Html {
  return html`<span>${line.quantity} × ${nameOf(line)}</span>
    <span class="price">${line.price && formatMoney(line.price)}</span>`;
}

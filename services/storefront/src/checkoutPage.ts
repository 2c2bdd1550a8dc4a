import { nameOf, onlyLeft, trouble, type PricedLine } from "./basketLines.ts";
import { addressFields, cards, contactFields, countryOptions, type Field } from "./checkoutForm.ts";
import { complaint, describedBy, type Complaints } from "./complaints.ts";
import type { Fields } from "./forms.ts";
import { html, type Html } from "./html.ts";
import { formatMoney } from "./money.ts";

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
  readonly complaints?: Complaints;
  /** What the customer must know before anything else. */
  readonly notice?: string;
  /** What was sent when nobody knew whether it arrived. */
  readonly attempt?: string;
}

const NONE: Complaints = new Map();

export function checkoutPage(checkout: Checkout): Html {
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
      ${attempt(checkout)} ${adjustable ? enterButton : undefined}
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
        ${cardChoice(fields, complaints)}
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
        <button class="button wide">Place order</button>
        <p class="fine">
          You pay once, however often you press. <a href="/basket">Change your basket</a>
        </p>
      </section>
    </form>
  </div>`;
}

/** The Enter key presses a form's first button, and that must not be one that takes something out. */
const enterButton = html`<button class="visually-hidden" tabindex="-1" aria-hidden="true">
  Place order
</button>`;

function attempt({ attempt, fields }: Checkout): Html | undefined {
  // Kept over further attempts: it is the first one that may have arrived.
  const kept = fields["attempt"] ?? attempt;
  return kept === undefined
    ? undefined
    : html`<input type="hidden" name="attempt" value="${kept}" />`;
}

function summary({ notice, complaints = NONE, lines = [] }: Checkout): Html | undefined {
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

function cardChoice(fields: Fields, complaints: Complaints): Html {
  const chosen = fields["token"] ?? cards[0].token;
  return html`<fieldset class="cards" ${describedBy("token", complaints, "cards-hint")}>
    <legend><h2>How you pay</h2></legend>
    <p class="fine" id="cards-hint">
      This shop is a demonstration: no money moves. Choose what its make-believe bank shall say.
    </p>
    ${complaint("token", complaints)}
    ${cards.map(
      ({ token, name, text }, index) =>
        html`<label class="choice">
          <input
            type="radio"
            name="token"
            value="${token}"
            ${index === 0 ? html`id="token"` : undefined}
            ${token === chosen ? html`checked` : undefined}
            required
          />
          <span><strong>${name}</strong> <span class="fine">${text}</span></span>
        </label>`,
    )}
  </fieldset>`;
}

function summaryLine(line: PricedLine, said: string | undefined): Html {
  const { sku, quantity, price } = line;
  const left = onlyLeft(line);
  const text = trouble(line) ?? said;
  return html`<li id="item-${sku}">
    <span>${quantity} × ${nameOf(line)}</span>
    <span class="price">${price && formatMoney(price)}</span>
    ${text && html`<span class="error">${text}</span>`}
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

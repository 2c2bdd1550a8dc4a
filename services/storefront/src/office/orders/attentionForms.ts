import { html, type Html } from "../../html/html.ts";

/**
 * Buttons to retry or cancel an order that needs attention.
 *
 * @param customer Name for the buttons' accessible labels.
 */
export function attentionForms(id: string, reason: string | undefined, customer: string): Html {
  return html`<form method="post" action="/office/orders/${id}/retry">
      <button class="button small">
        Retry<span class="visually-hidden"> order of ${customer}</span>
      </button>
    </form>
    ${
      isCaptured(reason)
        ? undefined
        : html`<form method="post" action="/office/orders/${id}/cancel">
            <button class="button small quiet">
              Cancel<span class="visually-hidden"> order of ${customer}</span>
            </button>
          </form>`
    }`;
}

/** @returns true if the payment is captured, so that the order can only be retried. */
function isCaptured(reason: string | undefined): boolean {
  return reason === "ship_refused";
}

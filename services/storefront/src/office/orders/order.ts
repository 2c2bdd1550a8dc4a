import { isIdempotencyKey, isUuid, problem, Type, Uuid, type App, type Reply } from "@store/kit";
import type { operations as BillingOperations } from "@store/contracts/public/billing";
import { complaint, describedBy, type Complaints } from "../../html/fieldErrors.ts";
import { Fields } from "../../http/forms.ts";
import { findOrder, markUnknown, type Gateway, type Order } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatAmount, formatMoney, parseAmount } from "../../html/money.ts";
import { happened, shortStatus } from "../../pages/orders/statusText.ts";
import { when } from "../../html/time.ts";
import { sendOfficePage } from "../layout.ts";
import { attentionForms } from "./orderList.ts";
import { parcel, type Shipment } from "../parcels/parcelPanel.ts";
import { checkLogin, granted, staffHeaders, type Answer } from "../session.ts";

type Payment = BillingOperations["getPayment"]["responses"][200]["content"]["application/json"];

const params = Type.Object({ id: Uuid });

const doneWords = {
  retried: "It is being tried again.",
  cancelled: "It is being cancelled.",
  refunded: "It is being paid back.",
};

/** One order, with what was paid for it and what was sent. */
export function addOrder(app: App, gateway: Gateway): void {
  app.get(
    "/office/orders/:id",
    {
      schema: {
        hide: true,
        params,
        querystring: Type.Object({
          done: Type.Optional(Type.Enum(["retried", "cancelled", "refunded"])),
        }),
      },
    },
    async (request, reply) => {
      const { done } = request.query;
      return sendOrder(gateway, reply, request.params.id, {
        said: done && doneWords[done],
      });
    },
  );

  app.post(
    "/office/orders/:id/retry",
    { schema: { hide: true, params } },
    async (request, reply) => {
      const { id } = request.params;
      const answer = await gateway.orders.POST("/api/orders/{id}/retry", {
        params: { path: { id } },
        headers: staffHeaders(request),
      });
      return sendChange(gateway, reply, { id, answer, done: "retried" });
    },
  );

  app.post(
    "/office/orders/:id/cancel",
    { schema: { hide: true, params } },
    async (request, reply) => {
      const { id } = request.params;
      const answer = await gateway.orders.POST("/api/orders/{id}/cancel", {
        params: { path: { id } },
        headers: staffHeaders(request),
      });
      return sendChange(gateway, reply, { id, answer, done: "cancelled" });
    },
  );

  app.post(
    "/office/orders/:id/refunds",
    { schema: { hide: true, params, body: Fields } },
    async (request, reply) => refund(gateway, reply, request.params.id, request.body),
  );
}

interface Change {
  readonly id: string;
  readonly answer: Answer<Order>;
  readonly done: keyof typeof doneWords;
}

/** Back to the order, with what was done, or with why it couldn't be. */
async function sendChange(gateway: Gateway, reply: Reply, change: Change): Promise<Reply> {
  const { id, answer, done } = change;
  checkLogin(answer);
  if (answer.data !== undefined) return reply.redirect(`/office/orders/${id}?done=${done}`, 303);
  reply.code(answer.response.status);
  return sendOrder(gateway, reply, id, { notice: answer.error?.detail ?? "That can’t be done." });
}

async function refund(gateway: Gateway, reply: Reply, id: string, fields: Fields): Promise<Reply> {
  const { payment = "", key = "", currency = "" } = fields;
  if (!isIdempotencyKey(key) || !isUuid(payment)) {
    reply.code(400);
    const notice =
      "The form didn’t reach us as we had made it, so nothing was paid back. Here is a new one.";
    return sendOrder(gateway, reply, id, { notice });
  }
  const wrong = (status: number, text: string) => {
    reply.code(status);
    return sendOrder(gateway, reply, id, {
      fields,
      complaints: new Map([[`amount-${payment}`, text]]),
    });
  };
  const amount = parseAmount(fields["amount"] ?? "", currency);
  if (amount === undefined || amount.amount === 0) {
    return wrong(422, "This is an amount such as 29.00, and more than nothing.");
  }
  const reason = (fields["reason"] ?? "").trim();
  const request = {
    params: { path: { id: payment }, header: { "idempotency-key": key } },
    body: { amount, ...(reason === "" ? {} : { reason }) },
    headers: staffHeaders(reply.request),
  };
  try {
    const answer = await gateway.billing.POST("/api/billing/payments/{id}/refunds", request);
    checkLogin(answer);
    if (answer.data !== undefined) {
      return await reply.redirect(`/office/orders/${id}?done=refunded`, 303);
    }
    const { type, detail } = answer.error;
    return await wrong(answer.response.status, type === KEY_REUSED ? PAID_BACK_SINCE : detail);
  } catch (error) {
    markUnknown(reply, error);
    return sendUnknownRefund(reply, id, { payment, key, currency, fields });
  }
}

const KEY_REUSED = "urn:store:problem:idempotency-key-reused";

const PAID_BACK_SINCE =
  "Something else was paid back after this page was made: it is listed now. To pay this back too, press again.";

/** The same form once more, whatever else is away: sent again, it is the same refund. */
function sendUnknownRefund(
  reply: Reply,
  order: string,
  {
    payment,
    key,
    currency,
    fields,
  }: Pick<RefundForm, "key" | "currency"> & {
    readonly payment: string;
    readonly fields: Fields;
  },
): Reply {
  const form = { id: payment, key, currency, amount: fields["amount"], reason: fields["reason"] };
  return sendOfficePage(reply, {
    title: "Please look again: Pay back",
    current: "/office/orders",
    main: html`<h1>Pay back</h1>
      <p class="banner bad" role="alert" tabindex="-1" autofocus>
        No answer came, so we don’t know whether this was taken. Please press “Pay back” again in a
        moment: it will be paid back once.
      </p>
      <div class="panel">${refundForm(order, form)}</div>
      <p class="fine">
        What was taken is listed with <a href="/office/orders/${order}">the order</a>.
      </p>`,
  });
}

interface Said {
  /** What has been done. */
  readonly said?: string | undefined;
  /** What could not be done. */
  readonly notice?: string;
  readonly fields?: Fields;
  readonly complaints?: Complaints;
}

async function sendOrder(gateway: Gateway, reply: Reply, id: string, said: Said): Promise<Reply> {
  const { request } = reply;
  const headers = staffHeaders(request);
  const [order, payments, shipments] = await Promise.all([
    findOrder(gateway, request, id),
    gateway.billing.GET("/api/billing/payments", { params: { query: { order: id } }, headers }),
    gateway.shipping.GET("/api/shipping/shipments", { params: { query: { order: id } }, headers }),
  ]);
  // Who isn't let in isn't told what there is, either.
  const whole = { payments: granted(payments).items, shipments: granted(shipments).items };
  if (order === undefined) throw problem(404, "There is no such order.");
  return sendOfficePage(reply, {
    title: "Order",
    current: "/office/orders",
    main: orderPage({ order, ...whole }, said),
  });
}

interface Whole {
  readonly order: Order;
  readonly payments: readonly Payment[];
  readonly shipments: readonly Shipment[];
}

function orderPage({ order, payments, shipments }: Whole, said: Said): Html {
  const { id, status, reason, placedAt, total, items, history } = order;
  return html`<nav class="crumbs" aria-label="Breadcrumb">
      <a href="/office/orders">Orders</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${id.slice(0, 8)}</span>
    </nav>
    <div class="office-head">
      <h1>Order</h1>
      <span class="status ${status}">${shortStatus[status]}</span>
      ${status === "needs_attention" ? attentionForms(id, reason, "this customer") : undefined}
    </div>
    ${said.said && html`<p class="banner good" role="status">${said.said}</p>`}
    ${said.notice && html`<p class="banner bad" role="alert">${said.notice}</p>`}
    <dl class="facts">
      <dt>Number</dt>
      <dd><a class="id" href="/orders/${id}">${id}</a></dd>
      <dt>Placed</dt>
      <dd>${when(placedAt)}</dd>
      ${
        reason &&
        html`<dt>Reason</dt>
          <dd>${reason}</dd>`
      }
      <dt>Total</dt>
      <dd>${formatMoney(total)}</dd>
    </dl>
    <div class="columns">
      <section aria-labelledby="things">
        <h2 id="things">Things</h2>
        <ul class="receipt">
          ${items.map(
            ({ sku, name, quantity, price }) =>
              html`<li>
                <span>${quantity} × <a href="/office/stock/${sku}">${name}</a></span>
                <span class="price"
                  >${formatMoney({ ...price, amount: price.amount * quantity })}</span
                >
              </li>`,
          )}
        </ul>
      </section>
      <section aria-labelledby="history">
        <h2 id="history">What happened</h2>
        <ol class="history">
          ${history.map((entry) => html`<li>${happened(entry)} ${when(entry.at)}</li>`)}
        </ol>
      </section>
    </div>
    <h2>Payments</h2>
    ${payments.length === 0 ? html`<p>None yet.</p>` : payments.map((each) => paymentPanel(id, each, said))}
    <h2>Parcel</h2>
    ${shipments.length === 0 ? html`<p>None yet.</p>` : shipments.map((each) => parcel(each, `/office/orders/${id}`))}`;
}

function paymentPanel(order: string, payment: Payment, { fields, complaints }: Said): Html {
  const { id, status, reason, amount, refunded, refunds, createdAt } = payment;
  const left = { ...amount, amount: amount.amount - refunded.amount };
  // What was entered for this payment, if it was sent and couldn't be done.
  const given = fields?.["payment"] === id ? fields : undefined;
  const form: RefundForm = {
    id,
    // Of the next refund of this payment: whoever sends it, and from however many pages, it is paid back once.
    key: `office-${refunds.length + 1}`,
    currency: left.currency,
    amount: given?.["amount"] ?? formatAmount(left),
    reason: given?.["reason"],
    complaints,
  };
  return html`<div class="panel">
    <p>
      <strong>${formatMoney(amount)}</strong> <span class="status ${status}">${status}</span>
      ${reason && html`<span class="fine">${reason}</span>`}
      <span class="fine">${when(createdAt)}</span>
    </p>
    ${
      refunds.length === 0
        ? undefined
        : html`<ul>
            ${refunds.map(refundLine)}
          </ul>`
    }
    ${status === "captured" && left.amount > 0 ? refundForm(order, form) : undefined}
  </div>`;
}

function refundLine({
  amount,
  status,
  reason,
  failure,
  createdAt,
}: Payment["refunds"][number]): Html {
  const words = {
    pending: "is being paid back",
    succeeded: "was paid back",
    failed: "couldn’t be paid back",
  };
  return html`<li>
    ${formatMoney(amount)} ${words[status]}${failure && html`: ${failure}`}
    ${reason && html`(${reason})`}
    <span class="fine">${when(createdAt)}</span>
  </li>`;
}

interface RefundForm {
  /** The payment's. */
  readonly id: string;
  readonly key: string;
  readonly currency: string;
  /** As it was entered. */
  readonly amount: string | undefined;
  readonly reason: string | undefined;
  readonly complaints?: Complaints | undefined;
}

function refundForm(order: string, form: RefundForm): Html {
  const { id, key, currency, reason, complaints = new Map() } = form;
  const amount = `amount-${id}`;
  return html`<form class="form-row" method="post" action="/office/orders/${order}/refunds">
    <input type="hidden" name="payment" value="${id}" />
    <input type="hidden" name="currency" value="${currency}" />
    <input type="hidden" name="key" value="${key}" />
    <div class="field">
      <label for="${amount}">Pay back, ${currency}</label>
      <input
        id="${amount}"
        name="amount"
        inputmode="decimal"
        value="${form.amount}"
        required
        ${describedBy(amount, complaints)}
      />
    </div>
    <div class="field">
      <label for="reason-${id}">Why</label>
      <input id="reason-${id}" name="reason" maxlength="200" value="${reason}" />
    </div>
    <button class="button small quiet">Pay back</button>
    ${complaint(amount, complaints)}
  </form>`;
}

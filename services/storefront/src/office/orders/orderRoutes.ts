import { Type, Uuid, type App, type Reply } from "@store/kit";
import type { Gateway, Order } from "../../gateway/gateway.ts";
import { Fields } from "../../http/forms.ts";
import { requireValidToken, staffHeaders, type ApiResponse } from "../session.ts";
import { refund } from "./refund.ts";
import { sendOrder } from "./sendOrder.ts";

const params = Type.Object({ id: Uuid });

const AlertId = Type.String({ pattern: "^[0-9]{1,15}$" });

const successMessages = {
  retried: "Retry started.",
  cancelled: "Cancellation started.",
  resolved: "Marked as handled.",
  refunded: "Refund started.",
};

/** Adds the page of one order, with its forms: retry, cancel, resolve, refund. */
export function addOrder(app: App, gateway: Gateway): void {
  app.get(
    "/office/orders/:id",
    {
      schema: {
        hide: true,
        params,
        querystring: Type.Object({
          done: Type.Optional(Type.Enum(["retried", "cancelled", "resolved", "refunded"])),
        }),
      },
    },
    async (request, reply) => {
      const { done } = request.query;
      return sendOrder(gateway, reply, request.params.id, {
        success: done && successMessages[done],
      });
    },
  );

  const actions = { retry: "retried", cancel: "cancelled" } as const;
  for (const action of ["retry", "cancel"] as const) {
    app.post(
      `/office/orders/:id/${action}`,
      { schema: { hide: true, params } },
      async (request, reply) => {
        const { id } = request.params;
        const answer = await gateway.orders.POST(`/api/orders/{id}/${action}`, {
          params: { path: { id } },
          headers: staffHeaders(request),
        });
        return sendResult(gateway, reply, { id, answer, done: actions[action] });
      },
    );
  }

  app.post(
    "/office/orders/:id/resolve",
    { schema: { hide: true, params, body: Type.Object({ through: Type.Optional(AlertId) }) } },
    async (request, reply) => {
      const { id } = request.params;
      const { through } = request.body;
      const answer = await gateway.orders.POST("/api/orders/{id}/resolve", {
        params: {
          path: { id },
          query: through === undefined ? {} : { through: Number(through) },
        },
        headers: staffHeaders(request),
      });
      return sendResult(gateway, reply, { id, answer, done: "resolved" });
    },
  );

  app.post(
    "/office/orders/:id/refunds",
    { schema: { hide: true, params, body: Fields } },
    async (request, reply) => refund(gateway, reply, request.params.id, request.body),
  );
}

interface Result {
  readonly id: string;
  readonly answer: ApiResponse<Order>;
  readonly done: keyof typeof successMessages;
}

/** Shows the order again with a success message, or with the API's error. */
async function sendResult(gateway: Gateway, reply: Reply, result: Result): Promise<Reply> {
  const { id, answer, done } = result;
  requireValidToken(answer);
  if (answer.data !== undefined) return reply.redirect(`/office/orders/${id}?done=${done}`, 303);
  reply.code(answer.response.status);
  return sendOrder(gateway, reply, id, { error: answer.error?.detail ?? "The action failed." });
}

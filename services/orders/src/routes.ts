import {
  IdempotencyKey,
  forwardCorrelationHeaders,
  problem,
  Type,
  Uuid,
  withHeaders,
  type App,
  type Client,
  type Service,
} from "@store/kit";
import type { paths as InventoryPaths } from "@store/contracts/internal/inventory";
import { priceOrder } from "./pricing.ts";
import { Order, OrderReceipt, OrderRequest } from "./schemas.ts";
import { hashRequest, receiptOf, type OrderStore } from "./store.ts";

/** In bytes. What is too much is to be named by its field, and ten thousand lines are more than the kit takes. */
const BODY_LIMIT = 1024 * 1024;

interface OrderRoutes {
  readonly orders: OrderStore;
  readonly inventory: Client<InventoryPaths>;
  /** Gives the span that is under way. */
  readonly traceparent: Service["traceparent"];
  /** Is told when there is a new order. */
  readonly placed: () => void;
}

export function addOrderRoutes(
  app: App,
  { orders, inventory, traceparent, placed }: OrderRoutes,
): void {
  app.post(
    "/api/orders",
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: "placeOrder",
        summary: "Places an order, once for each key",
        tags: ["orders"],
        description:
          "The same key and body get the same answer again, however often and whenever they come; the key of an order " +
          "with another body is refused. Retry with the same key whenever you don't know whether the order was taken. " +
          "What can't be ordered (422) isn't kept as an order, nor ever will be under that key, for a month at least: take a " +
          "new key to try again. 422 items: some can't be had. 422 total-differs: it comes to something else than `total`.",
        headers: Type.Object({
          "idempotency-key": IdempotencyKey,
        }),
        body: OrderRequest,
        response: { 202: withHeaders(OrderReceipt, { location: "The order's path." }) },
      },
    },
    async (request, reply) => {
      const key = request.headers["idempotency-key"];
      const asked = { key, hash: hashRequest(request.body) };
      // Before the prices: a replay must not fail because something has changed or is away since.
      const answer =
        (await orders.findAnswer(asked)) ??
        (await priceOrder(inventory, request.body, forwardCorrelationHeaders(request)).then(
          (items) =>
            orders.place({
              ...asked,
              request: request.body,
              items,
              requestId: request.id,
              traceparent: traceparent(),
            }),
          // The same request may have been placed meanwhile, and be the reason why there is nothing left for this one.
          (error: unknown) => orders.refuse(asked, error),
        ));
      const { id, body } = receiptOf(answer, asked.hash);
      placed();
      return (
        reply
          .code(202)
          .header("location", `/api/orders/${id}`)
          .type("application/json; charset=utf-8")
          // As it was kept, to the byte: what the schema makes of it may be another with the next release.
          .serializer(() => body)
          .send(JSON.parse(body) as OrderReceipt)
      );
    },
  );

  app.get(
    "/api/orders/:id",
    {
      schema: {
        operationId: "getOrder",
        summary: "How far an order is",
        tags: ["orders"],
        description: "Knowing its id is what entitles to see it.",
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async ({ params: { id } }, reply) => {
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}

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
import { hashRequest, receiptOf } from "./idempotency.ts";
import { priceOrder } from "./pricing.ts";
import { Order, OrderReceipt, OrderRequest } from "./schemas.ts";
import type { OrderStore } from "./orderStore.ts";

/** In bytes. Above the kit's default, so that validation can name the field of an order with too many lines. */
const BODY_LIMIT = 1024 * 1024;

interface OrderRoutes {
  readonly orders: OrderStore;
  readonly inventory: Client<InventoryPaths>;
  /** Returns the trace context of the current span. */
  readonly traceparent: Service["traceparent"];
  /** Maximum number of items of an order, over all lines. */
  readonly maxItems: number;
  /** Called when there is a new order. */
  readonly onPlaced: () => void;
}

/** Adds the public routes: place an order, get an order. */
export function addOrderRoutes(
  app: App,
  { orders, inventory, traceparent, maxItems, onPlaced }: OrderRoutes,
): void {
  app.post(
    "/api/orders",
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: "placeOrder",
        summary: "Places an order, once per idempotency key",
        tags: ["orders"],
        description:
          "All clients share the keys, so use a random UUID. The same key and body get the same answer again: an order always, a refusal " +
          "(422) for at least a month, and one of type `items` for five minutes, because there may be stock again. The key of an order with " +
          "another body is refused. Retry with the same key if you don't know whether the order was accepted, and use a new key to order " +
          "again after a refusal. 422 items: some items are out of stock, unknown or repeated. 422 order-too-large: more items " +
          "than an order may have. 422 total-differs: the actual total isn't `total`.",
        headers: Type.Object({
          "idempotency-key": IdempotencyKey,
        }),
        body: OrderRequest,
        response: { 202: withHeaders(OrderReceipt, { location: "Path of the order." }) },
      },
    },
    async (request, reply) => {
      const key = request.headers["idempotency-key"];
      const identity = { key, hash: hashRequest(request.body) };
      // Before the pricing: a replay must not fail because prices have changed or inventory is unreachable.
      const answer =
        (await orders.findAnswer(identity)) ??
        (await priceOrder(inventory, request.body, {
          maxItems,
          headers: forwardCorrelationHeaders(request),
        }).then(
          (items) =>
            orders.place({
              ...identity,
              request: request.body,
              items,
              requestId: request.id,
              traceparent: traceparent(),
            }),
          // The same request may have been placed meanwhile and may have taken the last of the stock.
          (error: unknown) => orders.refuse(identity, error),
        ));
      const { id, body } = receiptOf(answer, identity.hash);
      onPlaced();
      return (
        reply
          .code(202)
          .header("location", `/api/orders/${id}`)
          .type("application/json; charset=utf-8")
          // The stored bytes: the next release's schema might serialise them differently.
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
        summary: "Returns an order and its history",
        tags: ["orders"],
        description: "No authentication: whoever knows the ID may read the order.",
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

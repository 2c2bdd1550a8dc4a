import { Sku, SkuList, Type, type App, type Database, type Service, type Static } from "@store/kit";
import type { Step } from "../saga/saga.ts";

const CommittedProduct = Type.Object(
  {
    sku: Sku,
    quantity: Type.Integer({ minimum: 1, description: "Quantity in orders without a parcel." }),
  },
  { description: "A product that is sold and still on the shelf." },
);
type CommittedProduct = Static<typeof CommittedProduct>;

/**
 * Steps at which an order's goods are taken from the stock. At a commit in progress they may be: the next step isn't saved before its
 * call. Counted too often, goods that could be sold wait for the next count of the shelf; counted too rarely, they are sold twice.
 */
const goodsAreTaken: Readonly<Record<Step, boolean | "in progress">> = {
  validate: false,
  reserve: false,
  authorise: false,
  commit: "in progress",
  capture: true,
  ship: true,
  release: false,
  void: false,
  revoke: true,
  return: true,
  // Shipping counts the parcel until it is cancelled.
  unship: "in progress",
  refund: true,
};

function stepsWith(taken: boolean | "in progress"): string[] {
  return Object.entries(goodsAreTaken).flatMap(([step, value]) => (value === taken ? [step] : []));
}

/** Adds the staff route that counts goods of orders between the commit of their goods and their parcel. */
export function addCommittedGoodsRoute(
  app: App,
  database: Database,
  staff: ReturnType<Service["staff"]>,
): void {
  app.get(
    "/api/orders/committed",
    {
      onRequest: staff,
      schema: {
        operationId: "listCommitted",
        summary: "Lists products that are sold and have no parcel yet",
        description:
          "These goods are on the shelf, but no longer in inventory's `onHand`: whoever counts the shelf subtracts them, and those of " +
          "shipping's `listUnpacked`. Ask here first: an order counts twice rather than never while its parcel is being created.",
        tags: ["staff"],
        security: [{ staff: [] }],
        querystring: Type.Object({ skus: SkuList }),
        response: { 200: Type.Object({ items: Type.Array(CommittedProduct) }) },
      },
    },
    async ({ query: { skus } }, reply) => {
      reply.header("cache-control", "no-store");
      const values = [skus.split(","), stepsWith(true), stepsWith("in progress")];
      return { items: await database.query<CommittedProduct>(selectCommitted, values) };
    },
  );
}

// An order without due_at waits for staff: its commit was refused.
const selectCommitted = `
  SELECT sku, sum(quantity)::bigint AS quantity FROM sagas JOIN order_items USING (order_id)
  WHERE sku = ANY($1) AND (step = ANY($2) OR step = ANY($3) AND due_at IS NOT NULL)
  GROUP BY sku ORDER BY sku`;

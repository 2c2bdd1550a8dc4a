import { Type, type App, type Database } from "@store/kit";
import { readChanges } from "./paymentChanges.ts";
import { PaymentChange } from "./schemas.ts";

/** Default number of changes in a response. */
const CHANGES = 100;

/** Adds the internal route with which orders follow changes of payments. The gateway doesn't route it. */
export function addChangeRoutes(app: App, database: Database): void {
  app.get(
    "/internal/payments/changes",
    {
      schema: {
        operationId: "listPaymentChanges",
        summary: "Lists the changes of payments that concern their orders, in their order",
        description:
          "Send the number of the last change that you have seen as `after`. No change is skipped: later changes have greater numbers.",
        tags: ["internal"],
        querystring: Type.Object({
          after: Type.Optional(
            Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
          ),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: CHANGES })),
        }),
        response: { 200: Type.Object({ items: Type.Array(PaymentChange) }) },
      },
    },
    async ({ query: { after = 0, limit = CHANGES } }) => ({
      items: await readChanges(database, after, limit),
    }),
  );
}

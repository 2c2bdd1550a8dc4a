import { integer, start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addMethodRoutes } from "./methodRoutes.ts";
import { addPaymentMetrics, countCalls } from "./metrics.ts";
import { addPaymentRoutes } from "./paymentRoutes.ts";
import { Payments } from "./payments.ts";
import { createProvider } from "./providers/index.ts";
import { pollPendingRefunds } from "./resuming.ts";
import { Refunds } from "./refunds.ts";
import { addStaffRoutes } from "./staffRoutes.ts";

await start(manifest, async (service) => {
  const { app, log, metrics } = service;
  const { PAYMENT_LEASE_SECONDS: leaseSeconds, REFUND_POLL_MS } = service.environment({
    PAYMENT_LEASE_SECONDS: integer(1, 600, 20),
    REFUND_POLL_MS: integer(50, 600_000, 5_000),
  });
  const database = service.database({ migrations: new URL("migrations/", import.meta.url) });
  const provider = countCalls(await createProvider(service, database), metrics);
  addPaymentMetrics(metrics, database);
  const refunds = new Refunds({ database, provider, log, leaseSeconds });
  addMethodRoutes(app, provider);
  addPaymentRoutes(app, new Payments({ database, provider, log, leaseSeconds }));
  addStaffRoutes(app, { database, refunds, staff: service.staff() });
  pollPendingRefunds(app, refunds, REFUND_POLL_MS);
});

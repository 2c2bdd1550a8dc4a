import { integer, start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addMethodRoutes } from "./methods/methodRoutes.ts";
import { addPaymentMetrics, countCalls } from "./metrics.ts";
import { addPaymentRoutes } from "./payments/paymentRoutes.ts";
import { Payments } from "./payments/payments.ts";
import { addStaffRoutes } from "./payments/staffRoutes.ts";
import { createProvider } from "./providers/createProvider.ts";
import { pollRefunds } from "./refunds/pollRefunds.ts";
import { addRefundRoutes } from "./refunds/refundRoutes.ts";
import { Refunds } from "./refunds/refunds.ts";

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
  const staff = service.staff();
  addStaffRoutes(app, database, staff);
  addRefundRoutes(app, refunds, staff);
  pollRefunds(app, refunds, REFUND_POLL_MS);
});

import { integer, start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addChangeRoutes } from "./changes/changeRoutes.ts";
import { addMethodRoutes } from "./methods/methodRoutes.ts";
import { addPaymentMetrics, countCalls } from "./metrics.ts";
import { addPaymentRoutes } from "./payments/paymentRoutes.ts";
import { Payments } from "./payments/payments.ts";
import { addStaffRoutes } from "./payments/staffRoutes.ts";
import { addValidationRoute } from "./payments/validationRoute.ts";
import { pollUntilClosed } from "./pollUntilClosed.ts";
import { createProvider } from "./providers/createProvider.ts";
import { addRefundRoutes } from "./refunds/refundRoutes.ts";
import { Refunds } from "./refunds/refunds.ts";
import { addReportMetrics } from "./reports/metrics.ts";
import { Reports } from "./reports/reports.ts";

await start(manifest, async (service) => {
  const { app, log, metrics } = service;
  const settings = service.environment({
    PAYMENT_LEASE_SECONDS: integer(1, 600, 20),
    REFUND_POLL_MS: integer(50, 600_000, 5_000),
    REPORT_POLL_MS: integer(50, 600_000, 60_000),
  });
  const leaseSeconds = settings.PAYMENT_LEASE_SECONDS;
  const database = service.database({ migrations: new URL("migrations/", import.meta.url) });
  const provider = countCalls(await createProvider(service, database), metrics);
  addPaymentMetrics(metrics, database);
  const refunds = new Refunds({ database, provider, log, leaseSeconds });
  addMethodRoutes(app, provider);
  addValidationRoute(app, provider, log);
  addPaymentRoutes(app, new Payments({ database, provider, log, leaseSeconds }));
  const staff = service.staff();
  addStaffRoutes(app, database, staff);
  addRefundRoutes(app, refunds, staff);
  addChangeRoutes(app, database);
  pollUntilClosed(app, {
    description: "retry pending refunds",
    work: () => refunds.retryDue(),
    intervalMs: settings.REFUND_POLL_MS,
  });
  if (provider.reports === undefined) return;
  const pollMs = settings.REPORT_POLL_MS;
  const reports = new Reports({ database, provider, log, pollMs });
  addReportMetrics(metrics, database, provider.name);
  pollUntilClosed(app, {
    description: "read the payment provider's reports",
    work: () => reports.poll(),
    intervalMs: pollMs,
  });
});

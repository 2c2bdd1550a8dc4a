import { integer, start, type App } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import type { paths as BillingPaths } from "@store/contracts/internal/billing";
import type { paths as InventoryPaths } from "@store/contracts/internal/inventory";
import type { paths as ShippingPaths } from "@store/contracts/internal/shipping";
import { ChangeFollower } from "./following/changeFollower.ts";
import { addFollowerMetrics } from "./following/metrics.ts";
import { addOrderRoutes } from "./orders/orderRoutes.ts";
import { OrderStore } from "./orders/orderStore.ts";
import { paymentFeed } from "./payments/paymentFeed.ts";
import type { Services } from "./saga/calls.ts";
import { addSagaMetrics } from "./saga/metrics.ts";
import { SagaStore } from "./saga/sagaStore.ts";
import { SagaWorker } from "./saga/sagaWorker.ts";
import { addSessionRoutes } from "./sessions/sessionRoutes.ts";
import { StaffSessions } from "./sessions/staffSessions.ts";
import { parcelFeed } from "./shipping/parcelFeed.ts";
import { StaffOrders } from "./staff/staffOrders.ts";
import { addCommittedGoodsRoute } from "./staff/committedGoods.ts";
import { addStaffRoutes } from "./staff/staffRoutes.ts";

const DAY_MS = 86_400_000;

await start(manifest, (service) => {
  const { app, log, metrics, database: connect, client, environment, staff } = service;
  const settings = environment({
    SAGA_LEASE_SECONDS: integer(1, 3_600, 30),
    SAGA_POLL_MS: integer(10, DAY_MS, 500),
    SAGA_CONCURRENCY: integer(1, 1_000, 8),
    SAGA_MAX_WAITING: integer(0, 10_000, 200),
    SAGA_BACKOFF_MS: integer(1, DAY_MS, 200),
    SAGA_BACKOFF_MAX_MS: integer(1, DAY_MS, 30_000),
    STEP_TIMEOUT_MS: integer(10, 60_000, 3_000),
    PAYMENT_TIMEOUT_MS: integer(10, 60_000, 8_000),
    ORDER_MAX_ITEMS: integer(1, 1_000_000, 100),
    SHIPPING_POLL_MS: integer(10, DAY_MS, 2_000),
    BILLING_POLL_MS: integer(10, DAY_MS, 2_000),
    STAFF_SESSION_HOURS: integer(1, 720, 12),
    STAFF_SESSION_IDLE_MINUTES: integer(1, 43_200, 120),
  });
  const database = connect({ migrations: new URL("migrations/", import.meta.url) });
  const services: Services = {
    inventory: client<InventoryPaths>("inventory", { timeout: settings.STEP_TIMEOUT_MS }),
    billing: client<BillingPaths>("billing", { timeout: settings.PAYMENT_TIMEOUT_MS }),
    shipping: client<ShippingPaths>("shipping", { timeout: settings.STEP_TIMEOUT_MS }),
  };

  const leaseMs = settings.SAGA_LEASE_SECONDS * 1_000;
  const sagas = new SagaStore(database, leaseMs);
  const worker = new SagaWorker({
    sagas,
    services,
    log,
    count: addSagaMetrics(metrics, sagas),
    trace: service.trace,
    concurrency: settings.SAGA_CONCURRENCY,
    maxWaiting: settings.SAGA_MAX_WAITING,
    leaseMs,
    pollMs: settings.SAGA_POLL_MS,
    backoffMs: settings.SAGA_BACKOFF_MS,
    backoffMaxMs: settings.SAGA_BACKOFF_MAX_MS,
  });
  const parcels = new ChangeFollower({
    feed: parcelFeed(services.shipping),
    database,
    log,
    pollMs: settings.SHIPPING_POLL_MS,
  });
  const payments = new ChangeFollower({
    feed: paymentFeed({ billing: services.billing, database, log }),
    database,
    log,
    pollMs: settings.BILLING_POLL_MS,
  });
  addFollowerMetrics(metrics, "shipping", () => parcels.lag());
  addFollowerMetrics(metrics, "billing", () => payments.lag());

  const orders = new OrderStore(database);
  addOrderRoutes(app, {
    orders,
    inventory: services.inventory,
    traceparent: service.traceparent,
    maxItems: settings.ORDER_MAX_ITEMS,
    onPlaced: () => worker.pollNow(),
  });
  const onlyStaff = staff();
  addStaffRoutes(app, {
    orders,
    staffOrders: new StaffOrders(database),
    staff: onlyStaff,
    onDue: () => worker.pollNow(),
  });
  const sessions = new StaffSessions({
    database,
    maxHours: settings.STAFF_SESSION_HOURS,
    idleMinutes: settings.STAFF_SESSION_IDLE_MINUTES,
  });
  addSessionRoutes(app, sessions, onlyStaff);
  addCommittedGoodsRoute(app, database, onlyStaff);

  runWithApp(app, [worker, parcels, payments]);
});

/** Starts the background jobs when the app is ready, and stops them when it closes. */
function runWithApp(
  app: App,
  jobs: readonly { start: () => void; stop: () => Promise<void> }[],
): void {
  app.addHook("onReady", (done) => {
    for (const job of jobs) job.start();
    done();
  });
  // Finish open requests and orders in progress concurrently.
  let stopped: Promise<unknown> | undefined;
  const stop = () => (stopped ??= Promise.all(jobs.map((job) => job.stop())));
  app.addHook("preClose", (done) => {
    void stop();
    done();
  });
  app.addHook("onClose", async () => {
    await stop();
  });
}

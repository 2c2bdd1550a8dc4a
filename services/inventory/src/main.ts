import { flag, integer, start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { Catalogue } from "./catalogue.ts";
import { seedDemoCatalogue } from "./demo.ts";
import { addImageRoutes } from "./images.ts";
import { addReservationMetrics } from "./metrics.ts";
import { addProductRoutes } from "./products.ts";
import { addReservationRoutes } from "./reservations.ts";
import { ReservationStore } from "./reservationStore.ts";
import { addStockRoutes } from "./stock.ts";
import { sweepReservations } from "./sweep.ts";

await start(manifest, async (service) => {
  const { app, log } = service;
  const { DEMO_DATA, RESERVATION_SECONDS, RESERVATION_SWEEP_MS } = service.environment({
    DEMO_DATA: flag(false),
    // Seconds until a hold expires.
    RESERVATION_SECONDS: integer(1, 86_400, 900),
    // Milliseconds between two sweeps for overdue holds.
    RESERVATION_SWEEP_MS: integer(10, 600_000, 5_000),
  });
  const database = service.database({
    migrations: new URL("migrations/", import.meta.url),
    prepare: async (migrated) => {
      if (DEMO_DATA) await seedDemoCatalogue(migrated, log);
    },
  });
  const catalogue = new Catalogue(database);
  addProductRoutes(app, catalogue);
  addStockRoutes(app, catalogue, service.staff());
  await addImageRoutes(app);

  const reservations: ReservationStore = new ReservationStore(database, {
    seconds: RESERVATION_SECONDS,
    changed: addReservationMetrics(service.metrics, () => reservations.countHeld()),
  });
  addReservationRoutes(app, reservations);
  sweepReservations(service, reservations, RESERVATION_SWEEP_MS);
});

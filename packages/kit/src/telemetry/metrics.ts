import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Database } from "../database/database.ts";
import { addDatabaseGauges } from "../database/databaseGauges.ts";

export { Counter, Gauge, Histogram, type Registry };

/** Adds /metrics in the Prometheus text format, with the process's metrics and the duration of requests by route. */
export function addMetrics(app: FastifyInstance): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the arrival of a request to the end of its response.",
    labelNames: ["method", "route", "status"],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  app.addHook("onResponse", (request, reply, done) => {
    // The route's pattern, because each path with an id would create its own time series.
    const route = request.routeOptions.url ?? "unknown";
    durations.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1_000,
    );
    done();
  });
  app.get("/metrics", { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  return registry;
}

/** Adds gauges of the connection pool's connections by state, and of the database's size. */
export function addDatabaseMetrics(registry: Registry, database: Database): void {
  new Gauge({
    name: "database_connections",
    help: "Connections of the pool by state; waiting: requests waiting for a connection.",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const { totalCount, idleCount, waitingCount } = database.pool;
      this.set({ state: "busy" }, totalCount - idleCount);
      this.set({ state: "idle" }, idleCount);
      this.set({ state: "waiting" }, waitingCount);
    },
  });
  addDatabaseGauges(registry, {
    read: () =>
      database.query<{ bytes: string }>(
        "SELECT pg_database_size(current_database())::text AS bytes",
      ),
    gauges: {
      database_size_bytes: [
        "Size of the database's tables and indexes on the disk.",
        ({ bytes }) => Number(bytes),
      ],
    },
  });
}

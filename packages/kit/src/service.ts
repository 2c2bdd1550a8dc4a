import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger, onRequestHookHandler } from "fastify";
import type { Registry } from "prom-client";
import { createApp, type App } from "./http/app.ts";
import { requireCallers } from "./http/callers.ts";
import { createClient, type Client, type ClientOptions } from "./http/client.ts";
import { Database, type DatabaseOptions } from "./database/database.ts";
import {
  EnvironmentError,
  httpUrl,
  integer,
  oneOf,
  optional,
  readEnvironment,
  secretFile,
  text,
  type Values,
  type Variable,
} from "./environment.ts";
import { addHealth } from "./http/health.ts";
import { createLogger } from "./telemetry/logging.ts";
import { addMetrics, addDatabaseMetrics } from "./telemetry/metrics.ts";
import { addOpenApi } from "./api/openapi.ts";
import type { ProblemRenderer } from "./http/problems.ts";
import { staffHook } from "./http/staff.ts";
import { startTracing } from "./telemetry/startTracing.ts";
import { currentTraceparent, withSpan, type Tracing } from "./telemetry/tracing.ts";

/** The parts from which a service is built. A service requests what it needs and adds its routes to `app`. */
export interface Service {
  readonly name: string;
  readonly app: App;
  readonly log: FastifyBaseLogger;
  /** Registry for the service's own metrics. */
  readonly metrics: Registry;
  /** Reads the service's own variables. A missing or invalid variable ends the process with one line that names it. */
  readonly environment: <S extends Record<string, Variable<unknown>>>(schema: S) => Values<S>;
  /** Opens the service's PostgreSQL. The service is ready once it is migrated, and as long as it responds. */
  readonly database: (options: Pick<DatabaseOptions, "migrations" | "prepare">) => Database;
  /**
   * Creates a client of another service. The variable NAME_URL holds its address, and NAME_TOKEN_FILE names the file with the token that
   * the service's internal routes require.
   */
  readonly client: <Paths extends object>(
    name: string,
    options?: Pick<ClientOptions, "timeout">,
  ) => Client<Paths>;
  /**
   * Creates an onRequest hook for staff routes: it requires a token whose hash is in the file that STAFF_TOKENS_FILE names, and
   * responds 401 to other requests. The schema of such a route needs `security: [{ staff: [] }]`. `staffName(request)` returns the
   * token's name.
   */
  readonly staff: () => onRequestHookHandler;
  /**
   * Runs work outside of a request, such as a step of a job, as a span. The spans of its statements and calls become children. Without
   * tracing it only runs the work.
   * @param parent The parent span, as returned by `traceparent`.
   */
  readonly trace: <T>(name: string, work: () => Promise<T>, parent?: string | null) => Promise<T>;
  /** Returns the current span, to be stored as the parent of work that is done later; `undefined` without tracing. */
  readonly traceparent: () => string | undefined;
}

/** The fields of package.json that describe the service. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

interface StartOptions {
  /** Sends a problem in another form, such as an HTML page. @default a problem document (RFC 9457) */
  readonly renderProblem?: ProblemRenderer;
}

/** Milliseconds for requests to finish after the service has stopped listening. Docker kills the process 10 s after the drain. */
const FINISH_MS = 8_000;

/**
 * Runs a service: reads the environment, lets `build` add the routes, listens, and on SIGTERM drains and ends (on SIGINT it ends without
 * draining). If the service can't start or continue, the process logs one line with the reason and exits with 1.
 */
export async function start(
  manifest: Manifest,
  build: (service: Service) => void | Promise<void>,
  options: StartOptions = {},
): Promise<void> {
  const name = manifest.name.replace(/^@.*\//, "");
  let log = createLogger(name, "info");
  const die = (error: unknown) => {
    if (error instanceof EnvironmentError) log.fatal(error.message);
    else
      log.fatal({ err: error }, error instanceof Error ? error.message : "A non-error was thrown");
    process.exit(1);
  };
  process.on("uncaughtException", die);

  try {
    const environment = readEnvironment({
      PORT: integer(0, 65_535),
      HOST: text("127.0.0.1"),
      LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"], "info"),
      DRAIN_SECONDS: integer(0, 600, 1),
    });
    log = createLogger(name, environment.LOG_LEVEL);
    const lifecycle = { draining: false };
    const app = createApp({ log, lifecycle, ...options });
    const databases: Database[] = [];
    const tracing = await startTracing({ ...manifest, name }, log);
    tracing?.traceRequests(app);
    await addOpenApi(app, { ...manifest, name });
    requireCallers(app);
    const metrics = addMetrics(app);
    addHealth(app, lifecycle, databases);

    await build({
      name,
      app,
      log,
      metrics,
      environment: (schema) => readEnvironment(schema),
      database: (databaseOptions) => {
        const database = new Database({ service: name, log, ...databaseOptions });
        databases.push(database);
        addDatabaseMetrics(metrics, database);
        return database;
      },
      client: <Paths extends object>(target: string, options?: Pick<ClientOptions, "timeout">) => {
        return createClient<Paths>({ ...targetOf(target), ...options });
      },
      staff: staffHook,
      trace: (spanName, work, parent) =>
        withSpan({ name: spanName, kind: "internal", parent: parent ?? undefined }, work),
      traceparent: currentTraceparent,
    });
    stopOnSignals({
      app,
      log,
      lifecycle,
      databases,
      tracing,
      drainSeconds: environment.DRAIN_SECONDS,
    });
    await listen(app, environment.HOST, environment.PORT);
    for (const database of databases) database.prepare().catch(die);
  } catch (error) {
    die(error);
  }
}

/** Reads the address of a service and the token for it. The token is missing if the service has no internal routes, like the gateway. */
function targetOf(service: string): Pick<ClientOptions, "service" | "baseUrl" | "token"> {
  const prefix = service.toUpperCase().replaceAll("-", "_");
  const url = readEnvironment({ [`${prefix}_URL`]: httpUrl() });
  const token = readEnvironment({ [`${prefix}_TOKEN_FILE`]: optional(secretFile()) });
  return {
    service,
    baseUrl: String(url[`${prefix}_URL`]),
    token: token[`${prefix}_TOKEN_FILE`],
  };
}

/** Listens on IPv4 and IPv6 if the host is "::", and on IPv4 alone if the kernel has no IPv6. */
async function listen(app: App, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EAFNOSUPPORT" && host === "::") return listen(app, "0.0.0.0", port);
    if (code === "EADDRINUSE")
      throw new EnvironmentError(`PORT ${port} is in use: set another port or stop its process`);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      throw new EnvironmentError(`HOST ${host} is not an address of this machine`);
    throw error;
  }
}

interface ShutdownOptions {
  readonly app: App;
  readonly log: FastifyBaseLogger;
  readonly lifecycle: { draining: boolean };
  readonly databases: readonly Database[];
  readonly tracing: Tracing | undefined;
  readonly drainSeconds: number;
}

function stopOnSignals(options: ShutdownOptions): void {
  const { app, log, lifecycle, databases, tracing, drainSeconds } = options;
  const skipDrain = new AbortController();
  const stop = async (signal: string) => {
    if (signal === "SIGINT") skipDrain.abort();
    if (lifecycle.draining) return;
    lifecycle.draining = true;
    log.info(`${signal}: draining`);
    // Keeps serving until the gateway's health check of /readyz has taken this instance out of rotation.
    await delay(drainSeconds * 1_000, undefined, { signal: skipDrain.signal }).catch(
      () => undefined,
    );
    const forceClose = setTimeout(() => {
      log.error(`Aborting requests that are unfinished ${FINISH_MS} ms after the drain`);
      process.exitCode = 1;
      app.server.closeAllConnections();
    }, FINISH_MS);
    await app.close();
    clearTimeout(forceClose);
    await Promise.all(databases.map((database) => database.close()));
    await tracing?.shutdown();
    log.info("Stopped");
    process.exit();
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));
}

import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger, onRequestHookHandler } from "fastify";
import type { Registry } from "prom-client";
import { createApp, type App } from "./http/app.ts";
import { createClient, type Client, type ClientOptions } from "./http/client.ts";
import { Database, type DatabaseOptions } from "./database/database.ts";
import {
  EnvironmentError,
  httpUrl,
  integer,
  oneOf,
  readEnvironment,
  text,
  type Values,
  type Variable,
} from "./environment.ts";
import { addHealth } from "./http/health.ts";
import { createLogger } from "./telemetry/logging.ts";
import { addMetrics, addPoolMetrics } from "./telemetry/metrics.ts";
import { addOpenApi } from "./api/openapi.ts";
import type { ProblemRenderer } from "./http/problems.ts";
import { staffHook } from "./http/staff.ts";
import { startTracing } from "./telemetry/startTracing.ts";
import { currentTraceparent, withSpan, type Tracing } from "./telemetry/tracing.ts";

/** What a service is built from: it says what it needs, and adds its routes to `app`. */
export interface Service {
  readonly name: string;
  readonly app: App;
  readonly log: FastifyBaseLogger;
  /** For metrics of its own. */
  readonly metrics: Registry;
  /** Reads variables of its own. Something missing ends the process with one line that names it. */
  readonly environment: <S extends Record<string, Variable<unknown>>>(schema: S) => Values<S>;
  /** Its PostgreSQL. The service is ready once that is migrated, and as long as it answers. */
  readonly database: (options: Pick<DatabaseOptions, "migrations" | "prepare">) => Database;
  /** A client of another service, which NAME_URL leads to. */
  readonly client: <Paths extends object>(
    name: string,
    options?: Pick<ClientOptions, "timeout">,
  ) => Client<Paths>;
  /**
   * An onRequest hook for routes of the store's own people, who send the token in the file that STAFF_TOKEN_FILE names;
   * everybody else is answered 401. Say `security: [{ staff: [] }]` in such a route's schema.
   */
  readonly staff: () => onRequestHookHandler;
  /**
   * Runs work that no request is about (a job's step, say) as a span, on which those of its statements and calls hang.
   * Without traces it is just run.
   * @param parent What it is a part of, as `traceparent` gave it.
   */
  readonly trace: <T>(what: string, work: () => Promise<T>, parent?: string | null) => Promise<T>;
  /** The span that is under way, to be kept with work that is done later; undefined without traces. */
  readonly traceparent: () => string | undefined;
}

/** The parts of package.json that say who the service is. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

interface StartOptions {
  /** Sends a problem another way than as a problem document: as a page, say. */
  readonly renderProblem?: ProblemRenderer;
}

/** How long requests may take to finish after the service has stopped listening. Docker kills 10 s after the drain. */
const FINISH_MS = 8_000;

/**
 * The whole life of a service: reads the environment, lets `build` add the routes, listens, drains on SIGTERM (or stops at
 * once on SIGINT) and ends. The process ends with 1, and one line that says why, where it can't start or go on.
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
    else log.fatal({ err: error }, error instanceof Error ? error.message : "Something was thrown");
    process.exit(1);
  };
  process.on("uncaughtException", die);

  try {
    const environment = readEnvironment({
      PORT: integer(0, 65_535),
      HOST: text("127.0.0.1"),
      LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"], "info"),
      DRAIN_SECONDS: integer(0, 600, 3),
    });
    log = createLogger(name, environment.LOG_LEVEL);
    const lifecycle = { draining: false };
    const app = createApp({ log, lifecycle, ...options });
    const databases: Database[] = [];
    const tracing = await startTracing({ ...manifest, name }, log);
    tracing?.traceRequests(app);
    await addOpenApi(app, { ...manifest, name });
    const metrics = addMetrics(app);
    addHealth(app, lifecycle, databases);

    await build({
      name,
      app,
      log,
      metrics,
      environment: (schema) => readEnvironment(schema),
      database: (wanted) => {
        const database = new Database({ service: name, log, ...wanted });
        databases.push(database);
        addPoolMetrics(metrics, database);
        return database;
      },
      client: <Paths extends object>(called: string, options?: Pick<ClientOptions, "timeout">) => {
        const variable = `${called.toUpperCase().replaceAll("-", "_")}_URL`;
        const { [variable]: baseUrl } = readEnvironment({ [variable]: httpUrl() });
        return createClient<Paths>({ service: called, baseUrl: String(baseUrl), ...options });
      },
      staff: staffHook,
      trace: (what, work, parent) =>
        withSpan({ name: what, kind: "internal", parent: parent ?? undefined }, work),
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

async function listen(app: App, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE")
      throw new EnvironmentError(`PORT ${port} is taken: set another, or end what has it`);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      throw new EnvironmentError(`HOST ${host} is no address of this machine`);
    throw error;
  }
}

interface Running {
  readonly app: App;
  readonly log: FastifyBaseLogger;
  readonly lifecycle: { draining: boolean };
  readonly databases: readonly Database[];
  readonly tracing: Tracing | undefined;
  readonly drainSeconds: number;
}

function stopOnSignals({ app, log, lifecycle, databases, tracing, drainSeconds }: Running): void {
  const hurry = new AbortController();
  const stop = async (signal: string) => {
    if (signal === "SIGINT") hurry.abort();
    if (lifecycle.draining) return;
    lifecycle.draining = true;
    log.info(`${signal}: draining`);
    // Serves on until the gateway has noticed by /readyz.
    await delay(drainSeconds * 1_000, undefined, { signal: hurry.signal }).catch(() => undefined);
    const cut = setTimeout(() => {
      log.error(`Requests were still not finished ${FINISH_MS} ms after the drain: cut off`);
      process.exitCode = 1;
      app.server.closeAllConnections();
    }, FINISH_MS);
    await app.close();
    clearTimeout(cut);
    await Promise.all(databases.map((database) => database.close()));
    await tracing?.shutdown();
    log.info("Stopped");
    process.exit();
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));
}

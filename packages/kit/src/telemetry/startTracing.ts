import type { FastifyBaseLogger } from "fastify";
import { httpUrl, readEnvironment } from "../environment.ts";
import { enableTracing, type Tracing } from "./tracing.ts";

/**
 * Starts tracing if OTEL_EXPORTER_OTLP_ENDPOINT is set. Otherwise the OpenTelemetry packages aren't loaded.
 *
 * @throws EnvironmentError if the variable isn't a URL.
 */
export async function startTracing(
  service: { readonly name: string; readonly version: string },
  log: FastifyBaseLogger,
): Promise<Tracing | undefined> {
  if (!process.env["OTEL_EXPORTER_OTLP_ENDPOINT"]) return undefined;
  const { OTEL_EXPORTER_OTLP_ENDPOINT } = readEnvironment({
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(),
  });
  const { createTracing } = await import("./openTelemetry.ts");
  const tracing = createTracing(service, OTEL_EXPORTER_OTLP_ENDPOINT, log);
  enableTracing(tracing);
  return tracing;
}

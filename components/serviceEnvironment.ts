import * as pulumi from "@pulumi/pulumi";
import { dependenciesOf, ServiceSpec, urlVariable } from "../services/spec";
import type { StoreArgs } from "./storeArgs";

/** Returns the variables that a service gets from the store: addresses of other services, tracing and demo data. */
export function serviceEnvironment(spec: ServiceSpec, args: StoreArgs): Record<string, string> {
  const edge = (spec.network ?? "backend") === "edge";
  return {
    ...(edge && { GATEWAY_URL: "http://gateway" }),
    ...Object.fromEntries(
      dependenciesOf(spec).map((dependency) => [
        urlVariable(dependency),
        `http://${dependency}:${specOf(args.specs, dependency).port}`,
      ]),
    ),
    ...(args.otlpEndpoint && { OTEL_EXPORTER_OTLP_ENDPOINT: args.otlpEndpoint }),
    ...(spec.database && { DEMO_DATA: args.demoData.toString() }),
  };
}

/** @throws RunError if there is no such service. */
export function specOf(specs: ReadonlyMap<string, ServiceSpec>, service: string): ServiceSpec {
  const spec = specs.get(service);
  if (spec === undefined) throw new pulumi.RunError(`There is no service ${service}.`);
  return spec;
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliError, UsageError } from "@store/docker/cliError";
import { loadSpecs, withDependencies } from "../../../services";
import type { ServiceSpec } from "../../../services/spec";
import { ROOT } from "../project/project";
import { freePort } from "./freePort";

/** A service run as a process of this machine. */
export interface DevService {
  readonly name: string;
  readonly spec: ServiceSpec;
  /** Port on 127.0.0.1. */
  readonly port: number;
}

/**
 * Returns the services with their dependencies, each with a free port.
 *
 * @param names Names of services. Empty for all.
 * @throws UsageError for an unknown name.
 */
export async function selectServices(names: readonly string[]): Promise<DevService[]> {
  const specs = loadSpecs();
  const unknown = names.find((name) => !specs.has(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `There is no service "${unknown}". Services: ${[...specs.keys()].join(", ")}.`,
    );
  }
  const selected = new Set(withDependencies(names.length > 0 ? names : [...specs.keys()], specs));
  const entries = [...specs].filter(([name]) => selected.has(name));
  return Promise.all(
    entries.map(async ([name, spec]) => ({
      name,
      spec,
      port: await freePort(),
    })),
  );
}

/** Returns true if the service can run from source: only Node services can. */
export function isNodeService({ name }: DevService): boolean {
  return ["package.json", "src/main.ts"].every((file) =>
    existsSync(join(ROOT, "services", name, file)),
  );
}

/** Explains why a service can't run from source. */
export function notNodeService({ name }: DevService): string {
  return `${name} is skipped: services/${name} has no package.json and src/main.ts, so it isn't a Node service.`;
}

/** @throws CliError if no service can run from source. */
export function requireNodeServices(services: readonly DevService[]): DevService[] {
  const nodeServices = services.filter(isNodeService);
  if (nodeServices.length > 0) return nodeServices;
  throw new CliError(services.map(notNodeService).join("\n"), {
    hint: "Run it with Docker: ./store up",
  });
}

import type { ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { freePortAfter } from "../diagnostics/rules/port";
import { readProject } from "../project/project";
import { findState } from "../state/state";
import { colors } from "../terminal/terminal";
import type { ServiceDatabase } from "./database";
import { Databases, openExternalDatabases, openPGliteDatabases } from "./databases";
import {
  DevService,
  isNodeService,
  notNodeService,
  requireNodeServices,
  selectServices,
} from "./devService";
import { DevRun, environmentOf } from "./environment";
import { listen } from "./listen";
import { startService, stopService } from "./process";
import { announceWhenReady } from "./readiness";
import { createReverseProxy } from "./reverseProxy";

export interface RunServicesOptions {
  /** Names of the services to run, in addition to their dependencies. Empty for all. */
  readonly services: readonly string[];
  /** Port of the reverse proxy. */
  readonly port: number;
  /** URL of a PostgreSQL server. Defaults to PGlite in this process. */
  readonly postgres?: string;
}

/**
 * Runs services as processes of this machine, without Docker, until SIGINT, SIGTERM or SIGHUP.
 *
 * @throws CliError if the port or the databases are unavailable.
 */
export async function runServices(options: RunServicesOptions): Promise<void> {
  const services = await selectServices(options.services);
  const nodeServices = requireNodeServices(services);
  for (const service of services.filter((service) => !isNodeService(service))) {
    const warning = colors.yellow(notNodeService(service));
    process.stdout.write(`${warning} Run it with Docker: ./store up\n`);
  }
  const folder = join(findState(readProject()).folder, "services");
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const proxy = await createReverseProxy(nodeServices);
  const url = `http://localhost:${options.port}`;
  await listenOnPort(proxy, options.port);
  const processes: ChildProcess[] = [];
  let databases: Databases | undefined;
  const stopped = stopSignal();
  try {
    databases = await openDatabases(options.postgres, folder);
    const exited = new Set<DevService>();
    processes.push(...(await startAll(nodeServices, databases, { services, folder, url }, exited)));
    void announceWhenReady(nodeServices, exited, { url, folder });
    await stopped;
  } finally {
    await Promise.all(processes.map(stopService));
    proxy.close();
    proxy.closeAllConnections();
    await databases?.close();
  }
}

async function openDatabases(url: string | undefined, folder: string): Promise<Databases> {
  if (url === undefined) {
    const databases = openPGliteDatabases(folder);
    process.stdout.write(`Databases: PGlite in this process, with its data in ${folder}.\n`);
    return databases;
  }
  const databases = await openExternalDatabases(url);
  process.stdout.write("Databases: store_NAME on the PostgreSQL server of --postgres.\n");
  return databases;
}

/** Starts the services and returns their processes. Adds each service that exits by itself to `exited`. */
async function startAll(
  services: readonly DevService[],
  databases: Databases,
  run: DevRun,
  exited: Set<DevService>,
): Promise<ChildProcess[]> {
  // Open all databases before the first service starts: creating a PGlite database blocks this process for a while.
  const opened = new Map<DevService, ServiceDatabase>();
  for (const service of services.filter(({ spec }) => spec.database)) {
    opened.set(service, await databases.open(service.name));
  }
  const labelWidth = Math.max(...services.map(({ name }) => name.length));
  return services.map((service) =>
    startService(
      service.name,
      environmentOf(service, opened.get(service), run),
      labelWidth,
      () => void exited.add(service),
    ),
  );
}

/** @throws CliError if the port is in use or reserved. */
async function listenOnPort(proxy: Server, port: number): Promise<void> {
  try {
    await listen(proxy, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const problem =
      code === "EACCES" ? "is reserved for other users by the system" : "is already in use";
    const other = await freePortAfter(Math.max(port, 1023));
    throw new CliError(`Port ${port} ${problem}.`, {
      hint: `Choose another port: ./store services --port ${other}`,
    });
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => resolve());
    }
  });
}

import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { isFromHere, takeLock } from "../state/locks";
import type { ServiceDatabase } from "./database";
import { startPGlite } from "./pglite";
import { ExternalPostgres } from "./postgres";

/** Databases of the services. */
export interface Databases {
  /** Returns a service's database and creates it if it is missing. */
  open(service: string): Promise<ServiceDatabase>;
  close(): Promise<void>;
}

/** Connects to the PostgreSQL server at the URL. Each service gets a database store_NAME. @throws CliError */
export async function openExternalDatabases(url: string): Promise<Databases> {
  const postgres = await ExternalPostgres.connect(url);
  return { open: (service) => postgres.openDatabase(service), close: () => postgres.close() };
}

/**
 * Runs databases in this process, with their data in a folder.
 *
 * @throws CliError if another process uses the folder. Two writers would corrupt the data.
 */
export function openPGliteDatabases(folder: string): Databases {
  const release = takeLock(join(folder, "lock.json"), "services", "services", (lock) => {
    const { pid, host } = lock;
    const stop = isFromHere(lock) ? `Stop that process (kill -TERM ${pid})` : "Stop that process";
    const place = isFromHere(lock) ? "" : ` on ${host}, or in another container`;
    return new CliError(`The databases in ${folder} are in use by process ${pid}${place}.`, {
      hint: `${stop}, or keep this run's databases in another folder: STORE_STATE_DIR=FOLDER ./store services`,
    });
  });
  const opened: { close(): Promise<void> }[] = [];
  return {
    open: async (service) => {
      const database = await startPGlite(join(folder, `${service}-data`));
      opened.push(database);
      return database;
    },
    close: async () => {
      await Promise.all(opened.map((database) => database.close()));
      release();
    },
  };
}

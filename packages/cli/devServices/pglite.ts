import { createServer, Socket } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketHandler } from "@electric-sql/pglite-socket";
import { messageOf } from "@store/docker/messageOf";
import { CliError } from "@store/docker/cliError";
import type { ServiceDatabase } from "./database";
import { listen } from "./listen";

/** A PostgreSQL database in this process. */
export interface PGliteDatabase extends ServiceDatabase {
  close(): Promise<void>;
}

/**
 * Opens a PGlite database and serves it on a free port. PGlite has one session; the connections of a service's pool take turns,
 * each until its statement or transaction has ended.
 *
 * @param folder Folder of the data. Created if it is missing.
 * @throws CliError if PGlite can't run on this machine or can't open the data.
 */
export async function startPGlite(folder: string): Promise<PGliteDatabase> {
  const database = await openDatabase(folder);
  const queue = new ConnectionQueue(database);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const handler = new PGLiteSocketHandler({
      // The package's own queue allows other connections in between the messages of one statement.
      queryQueue: queue as never,
      closeOnDetach: true,
    });
    handler.attach(socket).catch(() => socket.destroy());
  });
  const port = await listen(server);
  return {
    host: "127.0.0.1",
    port,
    // PGlite's only database and only user, which has no password.
    name: "postgres",
    user: "postgres",
    sharedSession: true,
    close: async () => {
      server.close();
      await database.close();
      // A service's open connection would keep this process alive.
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function openDatabase(folder: string): Promise<PGlite> {
  try {
    return await PGlite.create(folder);
  } catch (error) {
    throw new CliError(`PGlite can't open the database in ${folder}: ${messageOf(error)}`, {
      hint:
        "Use a PostgreSQL server: ./store services --postgres postgres://USER:PASSWORD@localhost:5432\n" +
        `Or delete the data (${folder}) and run the command again.`,
    });
  }
}

/**
 * Gives the database to one connection at a time, until its statement or transaction ends. Implements the methods that
 * PGLiteSocketHandler calls on its queue.
 */
class ConnectionQueue {
  /** ID of the connection that has the database. */
  private owner: number | undefined;
  private waiting: (() => void)[] = [];

  constructor(private readonly database: PGlite) {}

  async enqueue(
    connection: number,
    message: Uint8Array,
    onRawData: (data: Uint8Array) => void,
  ): Promise<number> {
    while (this.owner !== undefined && this.owner !== connection) {
      await new Promise<void>((resume) => this.waiting.push(resume));
    }
    this.owner = connection;
    try {
      await this.database.runExclusive(() =>
        this.database.execProtocolRawStream(message, { onRawData }),
      );
    } finally {
      if (!isPartOfStatement(message) && !this.database.isInTransaction()) this.release();
    }
    return message.length;
  }

  getQueueLength(): number {
    return this.waiting.length;
  }

  clearQueueForHandler(): void {
    // Nothing to do: a closed connection fails on its socket when its turn comes.
  }

  async clearTransactionIfNeeded(connection: number): Promise<void> {
    // A closed database has already rolled back, and isInTransaction() would throw.
    if (this.owner !== connection || this.database.closed) return;
    if (this.database.isInTransaction()) await this.database.exec("ROLLBACK");
    this.release();
  }

  private release(): void {
    this.owner = undefined;
    for (const resume of this.waiting.splice(0)) resume();
  }
}

/** Returns true for the messages of the extended query protocol and of COPY, which form one statement up to the next Sync. */
function isPartOfStatement(message: Uint8Array): boolean {
  return "PBDECHdcf".includes(String.fromCharCode(message[0] ?? 0));
}

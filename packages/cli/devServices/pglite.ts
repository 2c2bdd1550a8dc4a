import { createServer, Server, Socket } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketHandler } from "@electric-sql/pglite-socket";
import { CliError } from "@store/docker/cliError";
import { ServiceDatabase } from "./database";

/** A PostgreSQL in this process, with its data in a folder. */
export interface LocalDatabase extends ServiceDatabase {
  close(): Promise<void>;
}

/**
 * Serves PGlite, which has one session, to the many connections of a service's pool. They take turns: who has begun a
 * statement or a transaction is alone until it is ended.
 *
 * @throws CliError where it can't run here, or not on what is in the folder.
 */
export async function startPGlite(folder: string): Promise<LocalDatabase> {
  const database = await open(folder);
  const turns = new Turns(database);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const handler = new PGLiteSocketHandler({
      // The package's own queue lets another connection in between the messages of one statement.
      queryQueue: turns as never,
      closeOnDetach: true,
    });
    handler.attach(socket).catch(() => socket.destroy());
  });
  const port = await listen(server);
  return {
    host: "127.0.0.1",
    port,
    // It has this one database and this one user, who has no password.
    name: "postgres",
    user: "postgres",
    oneSession: true,
    close: async () => {
      server.close();
      await database.close();
      // Of a service that didn't hang up: it would keep this process alive.
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function open(folder: string): Promise<PGlite> {
  try {
    return await PGlite.create(folder);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`PGlite can't open the database in ${folder}: ${why}`, {
      hint:
        "Use a PostgreSQL of your own: ./store services --postgres postgres://USER:PASSWORD@localhost:5432\n" +
        `Or, where the data may go, delete ${folder} and start again.`,
    });
  }
}

/** What the package's handler of a connection asks of a queue. */
class Turns {
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
      if (!isPartOfStatement(message) && !this.database.isInTransaction()) this.pass();
    }
    return message.length;
  }

  getQueueLength(): number {
    return this.waiting.length;
  }

  clearQueueForHandler(): void {
    // One that has hung up runs into its closed socket when its turn comes.
  }

  async clearTransactionIfNeeded(connection: number): Promise<void> {
    // A closed one has rolled back, and throws when it is asked.
    if (this.owner !== connection || this.database.closed) return;
    if (this.database.isInTransaction()) await this.database.exec("ROLLBACK");
    this.pass();
  }

  private pass(): void {
    this.owner = undefined;
    for (const resume of this.waiting.splice(0)) resume();
  }
}

/** Parse, Bind, Describe, Execute, Close, Flush and COPY's data: others belong to it, up to a Sync. */
function isPartOfStatement(message: Uint8Array): boolean {
  return "PBDECHdcf".includes(String.fromCharCode(message[0] ?? 0));
}

/** On a free port of this machine's own interface. */
export function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

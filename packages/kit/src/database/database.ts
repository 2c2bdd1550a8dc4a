import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import pg from "pg";
import {
  flag,
  integer,
  optional,
  oneOf,
  readEnvironment,
  secretFile,
  text,
} from "../environment.ts";
import { migrate } from "./migrations.ts";
import { withSpan } from "../telemetry/tracing.ts";
import { SSL_MODES, tlsOptions } from "./tls.ts";
import { messageOf } from "../errorMessage.ts";
import {
  DatabaseBusy,
  DatabaseUnavailable,
  isBusy,
  isUnavailable,
  isWrongPassword,
} from "./errors.ts";

/** The database, or one of its transactions. */
export interface Queryable {
  /**
   * Runs a statement with values for `$1`, `$2` … and returns its rows. Each connection parses and plans a statement with values once,
   * so the text must not depend on the values: leave the condition of an unset filter out of the text.
   */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface DatabaseOptions {
  readonly service: string;
  readonly log: FastifyBaseLogger;
  /** Folder of the migrations, which are applied in the order of their names. */
  readonly migrations: URL;
  /** Runs after the migrations and before the service is ready. It may run in several replicas at once. */
  readonly prepare?: (database: Queryable & Pick<Database, "transaction">) => Promise<void>;
}

/** Time for which requests wait while the database is prepared for the first time, in milliseconds. */
const FIRST_REQUESTS_MS = 5_000;

/** Time in which a replaced password reaches file and database, in milliseconds, and the pause between two attempts to log in. */
const PASSWORD_MS = 5_000;
const PASSWORD_RETRY_MS = 200;

/**
 * The service's own PostgreSQL, beside it or elsewhere. It may start later than the service and disappear at any time: the service keeps
 * running, reports the outage at /readyz and with one log line per change, and continues when the database is back.
 */
export class Database implements Queryable {
  readonly pool: pg.Pool;
  /** A separate connection for the readiness check, so that an exhausted pool doesn't look like an outage. */
  readonly #probe: pg.Pool;
  readonly #options: DatabaseOptions;
  readonly #client: pg.ClientConfig;
  readonly #prepare: boolean;
  readonly #closing = new AbortController();
  /** Statements are possible: the migrations are applied. */
  #prepared = false;
  /** The first attempt to prepare the database has ended, whatever its result. */
  readonly #attempted: Promise<void>;
  #endAttempt: () => void = () => undefined;
  /** The hook `prepare` has run, too. */
  #ready = false;
  #problem: string | undefined = "not connected yet";
  #checking: Promise<string | undefined> | undefined;

  constructor(options: DatabaseOptions) {
    this.#attempted = new Promise((resolve) => (this.#endAttempt = resolve));
    const environment = readEnvironment({
      DATABASE_HOST: text(),
      DATABASE_PORT: integer(1, 65_535, 5432),
      DATABASE_NAME: text(),
      DATABASE_USER: text(),
      DATABASE_PASSWORD_FILE: secretFile(),
      DATABASE_SSLMODE: oneOf(SSL_MODES, "disable"),
      DATABASE_SSLROOTCERT_FILE: optional(secretFile()),
      DATABASE_POOL_SIZE: integer(1, 200, 10),
      DATABASE_PREPARE: flag(true),
    });
    this.#prepare = environment.DATABASE_PREPARE;
    this.#options = options;
    this.#client = {
      host: environment.DATABASE_HOST,
      port: environment.DATABASE_PORT,
      database: environment.DATABASE_NAME,
      user: environment.DATABASE_USER,
      // A function that reads the file at each connect, so that a changed password needs no restart.
      password: environment.DATABASE_PASSWORD_FILE,
      ssl: tlsOptions(environment.DATABASE_SSLMODE, environment.DATABASE_SSLROOTCERT_FILE?.()),
      application_name: options.service,
      // Also the time for a free connection of the pool. On a busy host PostgreSQL may need seconds to start a connection's process.
      connectionTimeoutMillis: 6_000,
      // Detects a broken network after 20 s of silence, even while a long migration runs.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // Transactions contain only statements, so a pause of 5 s means that this process is frozen or disconnected. PostgreSQL then
      // ends the transaction, before the statements time out that wait for its locks (10 s).
      idle_in_transaction_session_timeout: 5_000,
      types,
    };
    const limits = { statement_timeout: 10_000, query_timeout: 12_000 };
    this.pool = new pg.Pool({ ...this.#client, ...limits, max: environment.DATABASE_POOL_SIZE });
    this.#probe = new pg.Pool({
      ...this.#client,
      max: 1,
      // Less than the gateway's "timeout check": a slow database is better than a service that answers nothing.
      query_timeout: 5_000,
      connectionTimeoutMillis: 5_000,
    });
    // When the database closes an idle connection, the pool emits 'error', which ends the process unless there is a listener.
    for (const pool of [this.pool, this.#probe])
      pool.on("error", (error) => this.#setProblem(error));
  }

  /** Connects and migrates, and retries until it succeeds. Rejects only for errors that a retry can't fix. */
  async prepare(): Promise<void> {
    for (let pause = 250; !this.#closing.signal.aborted; pause = Math.min(pause * 2, 5_000)) {
      try {
        await migrate(this.#client, this.#options.migrations, this.#options.log);
        this.#prepared = true;
        await this.#options.prepare?.(this);
        this.#ready = true;
        this.#setProblem(undefined);
        return;
      } catch (error) {
        this.#prepared = false;
        if (!isUnavailable(error) && !isBusy(error)) throw error;
        this.#setProblem(error);
      } finally {
        this.#endAttempt();
      }
      await delay(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  /** Checks the database and returns the reason why it can't be used; `undefined` if it can. */
  async problem(): Promise<string | undefined> {
    if (!this.#ready) return this.#problem;
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async query<Row extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return this.#translateErrors(() =>
      traceStatement(
        sql,
        async () => (await this.pool.query<Row>(this.#toQueryConfig(sql, values))).rows,
      ),
    );
  }

  /**
   * Runs `work` in one transaction, which is committed when `work` resolves and rolled back when it rejects. `work` must await nothing
   * but its statements: PostgreSQL ends a transaction after 5 s without a statement.
   *
   * @throws DatabaseUnavailable or DatabaseBusy if a retry may succeed.
   */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return this.#translateErrors(async () => {
      const client = await this.pool.connect();
      let broken = false;
      // The pool listens only to idle clients: without this, a connection that breaks between two statements would end the process.
      const onError = () => (broken = true);
      client.on("error", onError);
      try {
        await client.query("BEGIN");
        const result = await work({
          query: async <Row extends pg.QueryResultRow>(
            sql: string,
            values: readonly unknown[] = [],
          ) =>
            traceStatement(
              sql,
              async () => (await client.query<Row>(this.#toQueryConfig(sql, values))).rows,
            ),
        });
        const { command } = await client.query("COMMIT");
        // PostgreSQL rolls back a transaction with a failed statement, and reports no error.
        if (command !== "COMMIT")
          throw new Error("The transaction was rolled back: the error of a statement was ignored");
        return result;
      } catch (error) {
        await client.query("ROLLBACK").catch(() => (broken = true));
        throw error;
      } finally {
        client.off("error", onError);
        client.release(broken);
      }
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.pool.end(), this.#probe.end()]);
  }

  /** Names a statement that has values, so that each connection prepares it only once. */
  #toQueryConfig(text: string, values: readonly unknown[]): pg.QueryConfig {
    if (!this.#prepare || values.length === 0) return { text, values: [...values] };
    let name = this.#statementNames.get(text);
    if (name === undefined)
      this.#statementNames.set(text, (name = `s${this.#statementNames.size}`));
    return { name, text, values: [...values] };
  }

  readonly #statementNames = new Map<string, string>();

  async #check(): Promise<string | undefined> {
    try {
      await this.#whileReplaced(() => this.#probe.query("SELECT 1"));
      this.#setProblem(undefined);
    } catch (error) {
      this.#setProblem(error);
    }
    return this.#problem;
  }

  async #translateErrors<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#prepared) {
      // The gateway takes a new instance for reachable until its first health check (https://github.com/haproxy/haproxy/issues/51), and
      // sends requests before the migrations are checked.
      await Promise.race([this.#attempted, delay(FIRST_REQUESTS_MS, undefined, { ref: false })]);
    }
    if (!this.#prepared) throw new DatabaseUnavailable("not prepared yet");
    try {
      return await this.#whileReplaced(work);
    } catch (error) {
      if (isBusy(error)) throw new DatabaseBusy(messageOf(error), { cause: error });
      if (isUnavailable(error)) throw new DatabaseUnavailable(messageOf(error), { cause: error });
      throw error;
    }
  }

  /**
   * Repeats work whose connection was refused for its password: while a password is replaced, the file and the database differ for a
   * moment, in which the existing connections go on working.
   */
  async #whileReplaced<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + PASSWORD_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isWrongPassword(error) || Date.now() > deadline) throw error;
        await delay(PASSWORD_RETRY_MS);
      }
    }
  }

  /** Stores the current problem and logs a line if it has changed, because an outage makes hundreds of attempts fail. */
  #setProblem(error: unknown): void {
    const previous = this.#problem;
    this.#problem =
      error === undefined
        ? undefined
        : `The database can't be ${isBusy(error) ? "prepared" : "reached"}: ${messageOf(error)}`;
    if (this.#closing.signal.aborted || this.#problem === previous) return;
    if (this.#problem !== undefined) this.#options.log.warn(this.#problem);
    else this.#options.log.info("The database is ready");
  }
}

/** Runs a statement as a span that records its text. The text contains no values, only `$1`, `$2` … */
function traceStatement<T>(sql: string, work: () => Promise<T>): Promise<T> {
  const text = sql.trim().replaceAll(/\s+/g, " ");
  const [operation = "statement"] = text.split(" ", 1);
  const attributes = { "db.system.name": "postgresql", "db.query.text": text };
  return withSpan({ name: operation, kind: "client", attributes, childOnly: true }, work);
}

/** Parses bigint as a number, because amounts and counts are numbers. Throws for values that a number can't represent. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (oid !== pg.types.builtins.INT8) return pg.types.getTypeParser(oid, format) as unknown;
    return (value: string) => {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large for a number`);
      return number;
    };
  },
};

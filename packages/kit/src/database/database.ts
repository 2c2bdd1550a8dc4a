import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import pg from "pg";
import { flag, integer, readEnvironment, secretFile, text } from "../environment.ts";
import { migrate } from "./migrations.ts";
import { withSpan } from "../telemetry/tracing.ts";
import {
  DatabaseBusy,
  DatabaseUnavailable,
  isBusy,
  isUnavailable,
  messageOf,
} from "./errors.ts";

/** Where a statement can be sent: the database itself, or a transaction of it. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface DatabaseOptions {
  readonly service: string;
  readonly log: FastifyBaseLogger;
  /** Folder of the migrations, applied in the order of their names. */
  readonly migrations: URL;
  /** Runs after the migrations and before the service says that it is ready. It may run in several replicas at once. */
  readonly prepare?: (database: Queryable & Pick<Database, "transaction">) => Promise<void>;
}

/**
 * A service's own PostgreSQL. It may come later than the service and go away at any time: the service lives on, says so at
 * /readyz and in one log line for each change, and carries on when it is back.
 */
export class Database implements Queryable {
  readonly pool: pg.Pool;
  /** One connection of its own for readiness, so that a pool in full use doesn't look like a database that is away. */
  readonly #probe: pg.Pool;
  readonly #options: DatabaseOptions;
  readonly #client: pg.ClientConfig;
  readonly #prepare: boolean;
  readonly #closing = new AbortController();
  #prepared = false;
  #problem: string | undefined = "not connected yet";
  #checking: Promise<string | undefined> | undefined;

  constructor(options: DatabaseOptions) {
    const environment = readEnvironment({
      DATABASE_HOST: text(),
      DATABASE_PORT: integer(1, 65_535, 5432),
      DATABASE_NAME: text(),
      DATABASE_USER: text(),
      DATABASE_PASSWORD_FILE: secretFile(),
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
      // Read at each connect, so that a changed password needs no restart.
      password: environment.DATABASE_PASSWORD_FILE,
      application_name: options.service,
      connectionTimeoutMillis: 3_000,
      // A database behind a network that is cut is noticed after 20 s of silence, also while a long migration is waited for.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // Only statements follow one another in a transaction, so nothing comes for so long where we have been frozen or cut off.
      // It ends then, before the statements give up that wait for what it has locked.
      idle_in_transaction_session_timeout: 5_000,
      types,
    };
    const limits = { statement_timeout: 10_000, query_timeout: 12_000 };
    this.pool = new pg.Pool({ ...this.#client, ...limits, max: environment.DATABASE_POOL_SIZE });
    this.#probe = new pg.Pool({
      ...this.#client,
      max: 1,
      query_timeout: 2_000,
      connectionTimeoutMillis: 2_000,
    });
    // An idle connection that the database closes is an 'error' event; without a listener it ends the process.
    for (const pool of [this.pool, this.#probe]) pool.on("error", (error) => this.#note(error));
  }

  /** Connects and migrates in the background, however long that takes. Rejects only for what waiting won't mend. */
  async prepare(): Promise<void> {
    for (let pause = 250; !this.#closing.signal.aborted; pause = Math.min(pause * 2, 5_000)) {
      try {
        await migrate(this.#client, this.#options.migrations, this.#options.log);
        this.#prepared = true;
        await this.#options.prepare?.(this);
        this.#note(undefined);
        return;
      } catch (error) {
        this.#prepared = false;
        if (!isUnavailable(error) && !isBusy(error)) throw error;
        this.#note(error);
      }
      await delay(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  /** Why it can't be used right now; `undefined` when it can. */
  async problem(): Promise<string | undefined> {
    if (!this.#prepared) return this.#problem;
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async query<Row extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return this.#reaching(() =>
      statement(sql, async () => (await this.pool.query<Row>(this.#named(sql, values))).rows),
    );
  }

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. It may wait for nothing but its
   * statements: a transaction is ended in which none comes for 5 s.
   *
   * @throws DatabaseUnavailable or DatabaseBusy where the same may succeed later.
   */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return this.#reaching(async () => {
      const client = await this.pool.connect();
      let broken = false;
      // The pool listens to idle clients only; a connection that breaks between two statements would end the process.
      const onError = () => (broken = true);
      client.on("error", onError);
      try {
        await client.query("BEGIN");
        const result = await work({
          query: async <Row extends pg.QueryResultRow>(
            sql: string,
            values: readonly unknown[] = [],
          ) => statement(sql, async () => (await client.query<Row>(this.#named(sql, values))).rows),
        });
        await client.query("COMMIT");
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

  /**
   * A statement that each connection parses and plans once. So its text must not change with its values, and its plan must be
   * right for all of them: what a filter leaves out stays out of the text.
   */
  #named(text: string, values: readonly unknown[]): pg.QueryConfig {
    if (!this.#prepare || values.length === 0) return { text, values: [...values] };
    let name = this.#names.get(text);
    if (name === undefined) this.#names.set(text, (name = `s${this.#names.size}`));
    return { name, text, values: [...values] };
  }

  readonly #names = new Map<string, string>();

  async #check(): Promise<string | undefined> {
    try {
      await this.#probe.query("SELECT 1");
      this.#note(undefined);
    } catch (error) {
      this.#note(error);
    }
    return this.#problem;
  }

  async #reaching<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#prepared) throw new DatabaseUnavailable("not prepared yet");
    try {
      return await work();
    } catch (error) {
      if (isBusy(error)) throw new DatabaseBusy(messageOf(error), { cause: error });
      if (isUnavailable(error)) throw new DatabaseUnavailable(messageOf(error), { cause: error });
      throw error;
    }
  }

  /** Logs when the database comes or goes, once each: an outage is a hundred failed attempts. */
  #note(error: unknown): void {
    const before = this.#problem;
    this.#problem =
      error === undefined
        ? undefined
        : `The database can't be ${isBusy(error) ? "prepared" : "reached"}: ${messageOf(error)}`;
    if (this.#closing.signal.aborted || this.#problem === before) return;
    if (this.#problem !== undefined) this.#options.log.warn(this.#problem);
    else this.#options.log.info("The database is ready");
  }
}

/** A statement as a span: its text, in which values are only $1, $2 … */
function statement<T>(sql: string, work: () => Promise<T>): Promise<T> {
  const text = sql.trim().replaceAll(/\s+/g, " ");
  const [operation = "statement"] = text.split(" ", 1);
  const attributes = { "db.system.name": "postgresql", "db.query.text": text };
  return withSpan({ name: operation, kind: "client", attributes, childOnly: true }, work);
}

/** Reads bigint as a number, which is what our amounts and counts are, and refuses what a number can't hold. */
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

import { Client } from "pg";
import { CliError, UsageError } from "@store/docker/cliError";
import { ServiceDatabase } from "./database";

/** The first one that has the collation by which inventory searches. */
const OLDEST = 17;

/** A PostgreSQL of the user's own, in which each service gets a database called store_NAME, kept there from then on. */
export class OwnPostgres {
  private constructor(private readonly client: Client) {}

  /**
   * @throws UsageError where the URL is none, or asks for TLS; CliError where nobody answers there, refuses the user, or is too
   * old.
   */
  static async connect(url: string): Promise<OwnPostgres> {
    checkUrl(url);
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    const own = new OwnPostgres(client);
    try {
      await client.connect();
      const { rows } = await client.query<{ version: number }>(
        "SELECT current_setting('server_version_num')::int / 10000 AS version",
      );
      const version = rows[0]?.version ?? 0;
      if (version < OLDEST) throw new Error(`it is version ${version}, and ${OLDEST} is needed`);
      return own;
    } catch (error) {
      await own.close();
      throw own.failure(error);
    }
  }

  /** The database of a service, made where it is missing. */
  async databaseOf(service: string): Promise<ServiceDatabase> {
    const name = `store_${service.replaceAll("-", "_")}`;
    try {
      const { rowCount } = await this.client.query("SELECT FROM pg_database WHERE datname = $1", [
        name,
      ]);
      if (rowCount === 0) {
        await this.client.query(`CREATE DATABASE ${this.client.escapeIdentifier(name)}`);
      }
    } catch (error) {
      throw this.failure(error);
    }
    const { host, port, user, password } = this.client;
    return { host, port, name, user: user ?? "postgres", password: password ?? undefined };
  }

  async close(): Promise<void> {
    // One that was never connected, or has hung up, has nothing to close.
    await this.client.end().catch(() => undefined);
  }

  private failure(error: unknown): CliError {
    const { host, port, user } = this.client;
    // Node tries each address of a name; the error over all of them has no message.
    const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    const why = errors.map((one) => (one instanceof Error ? one.message : String(one))).join(", ");
    return new CliError(`The PostgreSQL at ${host}:${port} can't be used: ${why}.`, {
      hint:
        `Check that it runs and what --postgres says; its user${user ? ` "${user}"` : ""} must be allowed to make databases. ` +
        `Without --postgres the databases are in this process.`,
    });
  }
}

function checkUrl(url: string): void {
  const example = "It looks like postgres://USER:PASSWORD@localhost:5432.";
  // Not repeated: there is a password in it.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new UsageError("What --postgres names is no address of a PostgreSQL.", example);
  }
  const tls = parsed.searchParams.get("sslmode") ?? "disable";
  if (tls !== "disable" || parsed.searchParams.has("ssl")) {
    throw new UsageError("--postgres asks for TLS, which the services don't use.", example);
  }
}

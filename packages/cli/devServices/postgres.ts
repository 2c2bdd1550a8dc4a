import { Client } from "pg";
import { messageOf } from "@store/docker/messageOf";
import { CliError, UsageError } from "@store/docker/cliError";
import type { ServiceDatabase } from "./database";

/** Oldest supported major version: the first with the collation that inventory's search uses. */
const MINIMUM_VERSION = 17;

/** Example of a valid --postgres. */
const EXAMPLE = "Example: --postgres postgres://USER:PASSWORD@localhost:5432";

/** An existing PostgreSQL server on which each service gets a database store_NAME. The databases are kept. */
export class ExternalPostgres {
  private constructor(private readonly client: Client) {}

  /**
   * @throws UsageError if the URL is invalid or asks for TLS.
   * @throws CliError if the server is unreachable, refuses the user, or is too old.
   */
  static async connect(url: string): Promise<ExternalPostgres> {
    checkUrl(url);
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    const postgres = new ExternalPostgres(client);
    try {
      await client.connect();
      const { rows } = await client.query<{ version: number }>(
        "SELECT current_setting('server_version_num')::int / 10000 AS version",
      );
      const version = rows[0]?.version ?? 0;
      if (version < MINIMUM_VERSION) {
        throw new Error(`its version is ${version}, but ${MINIMUM_VERSION} or newer is required`);
      }
      return postgres;
    } catch (error) {
      await postgres.close();
      throw postgres.toCliError(error);
    }
  }

  /** Returns a service's database and creates it if it is missing. */
  async openDatabase(service: string): Promise<ServiceDatabase> {
    const name = `store_${service.replaceAll("-", "_")}`;
    try {
      const { rowCount } = await this.client.query("SELECT FROM pg_database WHERE datname = $1", [
        name,
      ]);
      if (rowCount === 0) {
        await this.client.query(`CREATE DATABASE ${this.client.escapeIdentifier(name)}`);
      }
    } catch (error) {
      throw this.toCliError(error);
    }
    const { host, port, user, password } = this.client;
    return { host, port, name, user: user ?? "postgres", password: password ?? undefined };
  }

  async close(): Promise<void> {
    // Fails if the client was never connected or the server has closed the connection.
    await this.client.end().catch(() => undefined);
  }

  private toCliError(error: unknown): CliError {
    const { host, port, user } = this.client;
    return new CliError(
      `Using the PostgreSQL server at ${host}:${port} failed: ${messageOf(error)}.`,
      {
        hint:
          `Check the server and --postgres. The user${user ? ` "${user}"` : ""} needs the right to create databases. ` +
          `Without --postgres, the databases run in this process.`,
      },
    );
  }
}

function checkUrl(url: string): void {
  // The message doesn't repeat the URL, which contains a password.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new UsageError("The value of --postgres isn't a PostgreSQL URL.", EXAMPLE);
  }
  const tls = parsed.searchParams.get("sslmode") ?? "disable";
  if (tls !== "disable" || parsed.searchParams.has("ssl")) {
    throw new UsageError(
      "`./store services` connects to --postgres without TLS. Remove sslmode and ssl from the URL.",
      EXAMPLE,
    );
  }
}

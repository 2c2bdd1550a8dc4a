import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestAuthority } from "../../support/certificates";
import { eventually } from "../support/eventually";
import { docker, run } from "../../support/run";

/** Password of the superuser. */
const PASSWORD = randomBytes(12).toString("hex");

/** A PostgreSQL server beside the stack, with TLS, which containers of any network reach as another machine's. */
export class ExternalServer {
  readonly authority = new TestAuthority();
  /** Folder with the root certificate, root.pem, and the commands psql and pg_dump of the server's version. */
  readonly folder = mkdtempSync(join(tmpdir(), "store-external-"));

  private constructor(
    private readonly container: string,
    /** Address of this machine for containers. */
    readonly host: string,
    readonly image: string,
  ) {
    writeFileSync(join(this.folder, "root.pem"), this.authority.root.certificate);
  }

  static async start(image: string): Promise<ExternalServer> {
    const address = [
      "network",
      "inspect",
      "bridge",
      "--format",
      "{{(index .IPAM.Config 0).Gateway}}",
    ];
    const server = new ExternalServer(
      `store-test-${randomBytes(4).toString("hex")}`,
      (await docker(...address)).trim(),
      image,
    );
    const { certificate, key } = server.authority.issue({ names: [server.host] });
    const folder = "/tmp/tls";
    const write =
      `umask 077; mkdir ${folder}; printf %s "$CERTIFICATE" >${folder}/crt; printf %s "$KEY" >${folder}/key; ` +
      'exec docker-entrypoint.sh "$@"';
    await docker(
      ...["run", "--detach", "--name", server.container, "--label", "dev.store.test=external"],
      ...["--user", "postgres", "--publish", `${server.host}::5432`, "--entrypoint", "sh"],
      ...["--env", `CERTIFICATE=${certificate}${server.authority.intermediate.certificate}`],
      ...["--env", `KEY=${key}`, "--env", `POSTGRES_PASSWORD=${PASSWORD}`],
      ...[image, "-c", write, "start", "postgres", "-c", "fsync=off"],
      ...["-c", `ssl_cert_file=${folder}/crt`, "-c", `ssl_key_file=${folder}/key`],
    );
    // Until the image's own first start is over, the server listens on its socket only.
    await eventually(
      async () => (await run("docker", ["exec", server.container, ...isReady])).code === 0,
      "the external server doesn't start",
    );
    await server.useTls(true);
    server.writeCommands();
    return server;
  }

  async port(): Promise<number> {
    const published = await docker("port", this.container, "5432/tcp");
    return Number(published.trim().split(":").pop());
  }

  /** Runs statements as the superuser. @returns the output. */
  async query(sql: string, database = "postgres"): Promise<string> {
    const psql = ["psql", "--username=postgres", "--quiet", "--tuples-only", "--no-align"];
    const stop = ["--set", "ON_ERROR_STOP=1", "--dbname", database];
    const lines = sql.split(";").flatMap((statement) => ["--command", statement]);
    return (await docker("exec", this.container, ...psql, ...stop, ...lines)).trim();
  }

  async useTls(isOn: boolean): Promise<void> {
    const state = isOn ? "on" : "off";
    await this.query(`ALTER SYSTEM SET ssl = ${state}; SELECT pg_reload_conf()`);
    await eventually(async () => (await this.query("SHOW ssl")) === state, "TLS doesn't change");
  }

  async dispose(): Promise<void> {
    await run("docker", ["rm", "--force", "--volumes", this.container]);
    this.authority.dispose();
    rmSync(this.folder, { recursive: true });
  }

  /** Commands of this machine may be missing, or of an older version. */
  private writeCommands(): void {
    for (const command of ["psql", "pg_dump"]) {
      const file = join(this.folder, command);
      const options = `--volume ${this.folder}/root.pem:/root.pem:ro --env PGSSLROOTCERT=/root.pem`;
      writeFileSync(
        file,
        `#!/bin/sh\nexec docker run --rm --interactive ${options} --entrypoint ${command} ${this.image} "$@"\n`,
      );
      chmodSync(file, 0o755);
    }
  }
}

const isReady = ["pg_isready", "--quiet", "--host=127.0.0.1"];

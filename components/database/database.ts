import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  DELETE_BEFORE_CREATE,
  hardened,
  isolated,
  START_SECONDS,
  NETWORK_OPTIONS,
} from "../container/container";
import { Files, PREFLIGHT_FOLDER } from "../container/files";
import { commandHealthCheck } from "../container/health";
import { type SwarmSecret, swarmSecret } from "../container/secrets";
import { Host } from "../host/host";
import { labels } from "../container/labels";
import { readWithoutComments, shellQuote, withArguments } from "../shell/shell";
import settings from "./postgresSettings.json";

/** Connection of a service to its database. */
export interface DatabaseConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Secret files, with the password as {@link PASSWORD_FILE}. */
  readonly secrets: Files;
  /** The same file for a Swarm service. Undefined on one machine. */
  readonly swarmSecret: SwarmSecret | undefined;
  /** Resource after which the user has this password and owns the database. */
  readonly ready: pulumi.Resource;
  /** Network of the database and its service only. */
  readonly network: docker.Network;
}

/** Name of the password's file in {@link DatabaseConnection.secrets}. */
export const PASSWORD_FILE = "database-password";

export interface DatabaseDataArgs {
  /** Name of the service that owns the data. */
  readonly service: string;
  readonly host: Host;
  /** Resources that must exist before the volume is created. Defaults to none. */
  readonly after?: readonly pulumi.Resource[];
}

/**
 * A service's data and the database's password, which outlive the containers. Both are protected against deletion, and both exist for
 * every service with a database, enabled or not.
 */
export class DatabaseData extends pulumi.ComponentResource {
  readonly volumeName: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: DatabaseDataArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:DatabaseData", name, {}, opts);

    const dataVolume = args.host.dataVolume(args.service);
    const volume = new docker.Volume(
      name,
      { ...dataVolume.args, labels: labels({ service: args.service, role: "database" }) },
      {
        parent: this,
        protect: dataVolume.protect,
        dependsOn: [...(args.after ?? [])],
        // The labels contain the stack's name. Other labels would replace the volume, so a renamed stack would lose its data.
        ignoreChanges: ["labels"],
      },
    );
    // Letters and digits only, because people also put it into files and command lines.
    const password = new random.RandomPassword(
      `${name}-password`,
      { length: 32, special: false },
      { parent: this, protect: true },
    );

    this.volumeName = volume.name;
    this.password = password.result;
    this.registerOutputs({ volumeName: this.volumeName });
  }
}

export interface DatabaseArgs {
  /** Name of the service, which is also the name of the user and of the database. */
  readonly service: string;
  readonly host: Host;
  readonly data: DatabaseData;
  /** ID of the PostgreSQL image. */
  readonly imageId: pulumi.Input<string>;
  /** Memory limit in MiB. Defaults to 512: 100 busy connections took 450 MiB, and with 256 MiB the kernel killed the server at the 80th. */
  readonly memoryMiB?: number;
}

/** A PostgreSQL server for one service, on a network that only the two share. */
export class Database extends pulumi.ComponentResource {
  readonly connection: DatabaseConnection;
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Database", name, {}, opts);

    const network = new docker.Network(
      name,
      { ...isolated(args.host), labels: labels({ service: args.service, role: "database" }) },
      // The network of an existing stack keeps its options: another network would take the database from the instances that serve during
      // the rollout.
      pulumi.mergeOptions(NETWORK_OPTIONS, { parent: this, ignoreChanges: ["options"] }),
    );
    const secrets = this.secretFiles(name, args);
    const server = {
      swarmSecret: this.swarmSecret(name, args),
      host: `${args.service}-database`,
      port: 5432,
      database: args.service,
      user: args.service,
      secrets,
      network,
    };
    this.containerId = this.server(name, args, server).id;
    this.connection = { ...server, ready: this.role(name, args, server) };
    this.registerOutputs({ host: this.connection.host });
  }

  /** Runs again for another password and another container. The service goes on using the database meanwhile. */
  private role(
    name: string,
    { host }: DatabaseArgs,
    { user, database, secrets }: Omit<DatabaseConnection, "ready">,
  ): pulumi.Resource {
    const words = [ROLE_SCRIPT, "service-role", user, database, `/run/secrets/${PASSWORD_FILE}`];
    const command = words.map(shellQuote).join(" ");
    return host.run(
      `${name}-role`,
      pulumi.interpolate`docker exec ${this.containerId} sh -c ${command}\n# ${secrets.version}\n`,
      { parent: this },
    );
  }

  private swarmSecret(
    name: string,
    { service, host, data }: DatabaseArgs,
  ): SwarmSecret | undefined {
    if (host.swarm === undefined) return undefined;
    const secret = { service, value: data.password, path: PASSWORD_FILE };
    return swarmSecret(`${name}-password`, secret, { parent: this });
  }

  private secretFiles(name: string, { service, host, imageId, data }: DatabaseArgs): Files {
    return new Files(
      `${name}-secrets`,
      {
        service,
        host,
        imageId,
        files: { [PASSWORD_FILE]: data.password },
        // Before the files are written, because the running server is stopped before its replacement could find the wrong version.
        preflight: { script: versionCheck(service), volumeName: data.volumeName },
      },
      { parent: this },
    );
  }

  private server(
    name: string,
    args: DatabaseArgs,
    connection: Omit<DatabaseConnection, "ready">,
  ): docker.Container {
    const { memoryMiB = 512 } = args;
    const passwordFile = `/run/secrets/${PASSWORD_FILE}`;
    return new docker.Container(
      name,
      {
        ...hardened({ memoryMiB, waitSeconds: START_SECONDS }),
        image: args.imageId,
        entrypoints: ["sh", "-c", START_SCRIPT, "start-database", DATA_FOLDER],
        command: ["postgres", ...SETTINGS],
        user: "postgres",
        // Parallel queries share data there; Docker's default of 64 MiB isn't enough for a few large ones. It counts as the container's
        // memory, of which PostgreSQL's own buffers take 128 MiB.
        shmSize: Math.floor(memoryMiB / 2),
        envs: [
          `POSTGRES_USER=${connection.user}`,
          `POSTGRES_DB=${connection.database}`,
          `POSTGRES_PASSWORD_FILE=${passwordFile}`,
        ],
        volumes: [
          // The image keeps the data of each major version in a folder of its own below this one.
          { volumeName: args.data.volumeName, containerPath: DATA_FOLDER },
          connection.secrets.mountedAt("/run/secrets"),
        ],
        tmpfs: {
          "/tmp": "rw,noexec,nosuid,size=64m",
          // For any user: the ID of the image's user isn't known here.
          "/var/run/postgresql": "rw,noexec,nosuid,size=1m,mode=1777",
        },
        networksAdvanced: [{ name: connection.network.name, aliases: [connection.host] }],
        healthcheck: commandHealthCheck(
          ["sh", "-c", LOGIN_SCRIPT, "login", passwordFile, connection.user, connection.database],
          { withinSeconds: START_SECONDS },
        ),
        // Time for the checkpoint of a fast shutdown. A killed server would have to recover from its log at the next start.
        destroyGraceSeconds: 30,
        stopTimeout: 30,
        labels: labels({ service: args.service, role: "database" }),
      },
      { parent: this, dependsOn: [connection.secrets.written], ...DELETE_BEFORE_CREATE },
    );
  }
}

/**
 * Returns the maximum size of each instance's connection pool. An instance has one more connection for its readiness check. All
 * instances together use less than half of the database's connections, because a rollout runs the old and the new instances at the
 * same time; the rest is for people and backups.
 *
 * The size has only three values, because a changed size replaces the instances.
 */
export function poolSize(replicas: number): number {
  if (replicas <= 4) return 10;
  return replicas <= 8 ? 5 : 2;
}

/**
 * Settings of all database servers, those of the tests included.
 * - log_*: errors are logged without data. DETAIL contains whole rows, CONTEXT and STATEMENT what a person typed or restored.
 * - tcp_*, client_connection_check_interval: a client that has vanished loses its connection and its locks after 25 s, even while its
 *   statement runs.
 */
const SETTINGS = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

const DATA_FOLDER = "/var/lib/postgresql";

const START_SCRIPT = readWithoutComments(__dirname, "startDatabase.sh");
const ROLE_SCRIPT = readWithoutComments(__dirname, "serviceRole.sh");
const LOGIN_SCRIPT = readWithoutComments(__dirname, "login.sh");
const VERSION_CHECK_SCRIPT = readWithoutComments(__dirname, "versionCheck.sh");

/**
 * Returns a script for the PostgreSQL image that refuses to start another major version than the one that wrote the data.
 *
 * @param folder Folder of the data volume. Defaults to that of a preflight check.
 */
export function versionCheck(service: string, folder: string = PREFLIGHT_FOLDER): string {
  return withArguments(VERSION_CHECK_SCRIPT, [service, folder, DATA_FOLDER]);
}

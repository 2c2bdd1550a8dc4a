import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { DELETE_BEFORE_CREATE, hardened } from "../container/container";
import { Files, PREFLIGHT_FOLDER } from "../container/files";
import { commandHealthCheck } from "../container/health";
import { Host } from "../host/host";
import { labels } from "../container/labels";
import { readWithoutComments, withArguments } from "../shell/shell";
import settings from "./postgresSettings.json";

/** What a service has to know to reach its database. */
export interface DatabaseConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Holds the password as the file {@link PASSWORD_FILE}. */
  readonly secrets: Files;
  /** The one network on which it is reached, for its service alone. */
  readonly network: docker.Network;
}

/** Name of the file with the password, in {@link DatabaseConnection.secrets}. */
export const PASSWORD_FILE = "database-password";

export interface DatabaseDataArgs {
  /** Name of the service whose data it is. */
  readonly service: string;
  readonly host: Host;
  /** What must be there before the volume is made. @default nothing */
  readonly after?: readonly pulumi.Resource[];
}

/**
 * What outlives the containers: a service's data and the password that opens it. Both are protected, so that they go only
 * when that is asked for, and both are made for each service that there is, also while it isn't run.
 */
export class DatabaseData extends pulumi.ComponentResource {
  readonly volumeName: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;

  constructor(name: string, args: DatabaseDataArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:DatabaseData", name, {}, opts);

    const place = args.host.dataVolume(args.service);
    const volume = new docker.Volume(
      name,
      { ...place.args, labels: labels({ service: args.service, role: "database" }) },
      { parent: this, protect: place.protect, dependsOn: [...(args.after ?? [])] },
    );
    // Letters and digits only: it is also written into files and command lines by people.
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
  /** Name of the service that it belongs to. It is also the name of its user and of its database. */
  readonly service: string;
  readonly host: Host;
  readonly data: DatabaseData;
  /** ID of the PostgreSQL image. */
  readonly imageId: pulumi.Input<string>;
  /** @default 512: its hundred connections took 450 at work. With 256, the kernel ended the server at the eightieth. */
  readonly memoryMiB?: number;
}

/** A PostgreSQL server for one service, on a network that nobody else is on. */
export class Database extends pulumi.ComponentResource {
  readonly connection: DatabaseConnection;
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Database", name, {}, opts);

    const network = new docker.Network(
      name,
      // Internal: a database has no business on the internet.
      { internal: true, labels: labels({ service: args.service, role: "database" }) },
      { parent: this },
    );
    const secrets = new Files(
      `${name}-secrets`,
      {
        service: args.service,
        host: args.host,
        imageId: args.imageId,
        files: { [PASSWORD_FILE]: args.data.password },
        // The server is stopped before its successor starts: too late to find out that the data isn't for that one.
        preflight: { script: versionCheck(args.service), volumeName: args.data.volumeName },
      },
      { parent: this },
    );
    this.connection = {
      host: `${args.service}-database`,
      port: 5432,
      database: args.service,
      user: args.service,
      secrets,
      network,
    };

    const container = new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: args.memoryMiB ?? 512, waitSeconds: 90 }),
        image: args.imageId,
        command: ["postgres", ...SETTINGS],
        user: POSTGRES_USER,
        envs: [
          `POSTGRES_USER=${this.connection.user}`,
          `POSTGRES_DB=${this.connection.database}`,
          `POSTGRES_PASSWORD_FILE=/run/secrets/${PASSWORD_FILE}`,
        ],
        volumes: [
          // The image keeps each major version in a folder of its own below this one.
          { volumeName: args.data.volumeName, containerPath: DATA_FOLDER },
          secrets.mountedAt("/run/secrets"),
        ],
        tmpfs: {
          "/tmp": "rw,noexec,nosuid,size=64m",
          "/var/run/postgresql": "rw,noexec,nosuid,size=1m,uid=999,gid=999,mode=0775",
        },
        networksAdvanced: [{ name: network.name, aliases: [this.connection.host] }],
        // By TCP: while the image sets the database up, its server listens on the socket alone.
        healthcheck: commandHealthCheck([
          "pg_isready",
          "--host=127.0.0.1",
          `--username=${this.connection.user}`,
          `--dbname=${this.connection.database}`,
        ]),
        // A fast shutdown writes a checkpoint; killed before, it would recover from the log at the next start.
        destroyGraceSeconds: 30,
        stopTimeout: 30,
        labels: labels({ service: args.service, role: "database" }),
      },
      { parent: this, dependsOn: [secrets.written], ...DELETE_BEFORE_CREATE },
    );

    this.containerId = container.id;
    this.registerOutputs({ host: this.connection.host });
  }
}

/**
 * How many connections each of a service's instances may have in its pool. One more tells it whether the database is there. All
 * together have less than half of what the database takes, since a rollout has both the old instances and the new ones; the rest
 * is for people and backups.
 *
 * It goes down in two steps only: instances are replaced where it changes, which one more of them is no reason for.
 */
export function poolSize(replicas: number): number {
  if (replicas <= 4) return 10;
  return replicas <= 8 ? 5 : 2;
}

/**
 * What every server is told by the file of settings; the tests' one as well.
 * - Its log says what failed and not with whose data: DETAIL has whole rows, CONTEXT and STATEMENT what somebody typed or restored.
 * - A client that is cut off doesn't say so. One that is silent for 25 s, or takes nothing for as long, loses its connection, and
 *   with it what it has locked; also while its statement still runs.
 */
const SETTINGS = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

const DATA_FOLDER = "/var/lib/postgresql";

const VERSION_CHECK_SCRIPT = readWithoutComments(__dirname, "versionCheck.sh");

/**
 * Returns a script for the PostgreSQL image that refuses to start another major version than the one that wrote the data.
 *
 * @param folder Folder of the data volume. Defaults to that of a preflight check.
 */
export function versionCheck(service: string, folder: string = PREFLIGHT_FOLDER): string {
  return withArguments(VERSION_CHECK_SCRIPT, [service, folder, DATA_FOLDER]);
}

/** The image's user `postgres`: started as it, the image needs no privilege at all. */
const POSTGRES_USER = "999:999";

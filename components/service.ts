import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { resolve } from "node:path";
import { healthPath, ServiceSpec } from "../services/spec";
import { CREATE_BEFORE_DELETE, hardened } from "./container/container";
import { DatabaseConnection, PASSWORD_FILE, poolSize } from "./database/database";
import { httpHealthCheck, pollingHealthCheck } from "./container/health";
import { labels } from "./container/labels";
import { SecretFiles } from "./container/secrets";

export interface ServiceArgs {
  /** Name of the service; the others find it by this name. */
  readonly service: string;
  readonly spec: ServiceSpec;
  /** ID of its image. */
  readonly imageId: pulumi.Input<string>;
  /** How many instances run. From the fifth and the ninth on, each of them has fewer connections to the database. */
  readonly replicas: number;
  /** The network on which the gateway and the services that need it reach it. */
  readonly network: docker.Network;
  /** Its database. @default none */
  readonly database?: DatabaseConnection;
  /** The stack's secrets that it asks for. It reads them at each use, so that a new one takes no new instance. @default [] */
  readonly sharedSecrets?: readonly SecretFiles[];
  /** Secrets of its own. It may read them at its start only: its instances are replaced when one changes. @default none */
  readonly ownSecrets?: SecretFiles;
  /** Environment variables by name. They are visible to whoever may look at the container: never secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Its folder, when its sources are to be mounted instead of taken from the image. @default none */
  readonly liveFolder?: string;
}

/**
 * A microservice: its instances and how they are reached. An instance that changes is replaced by one that is healthy before
 * the old one is told to stop, and the old one goes on serving until the gateway has noticed.
 */
export class Service extends pulumi.ComponentResource {
  /** Names of the containers. */
  readonly containers: pulumi.Output<string[]>;
  readonly containerIds: readonly pulumi.Output<string>[];

  constructor(name: string, args: ServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Service", name, {}, opts);
    const { service, spec, database, ownSecrets } = args;
    const secrets = [...(args.sharedSecrets ?? []), ...(ownSecrets ? [ownSecrets] : [])];
    const drainSeconds = spec.drainSeconds ?? 3;
    const live =
      args.liveFolder === undefined ? undefined : liveRun(args.liveFolder, service, spec);

    const instances = Array.from(
      { length: args.replicas },
      (_, replica) =>
        new docker.Container(
          `${name}-${replica}`,
          {
            ...hardened({
              memoryMiB: spec.limits?.memoryMiB ?? 256,
              waitSeconds: spec.health?.withinSeconds ?? 60,
            }),
            image: args.imageId,
            command: live?.command,
            envs: Object.entries({
              PORT: spec.port.toString(),
              DRAIN_SECONDS: drainSeconds.toString(),
              ...(database && { DATABASE_POOL_SIZE: poolSize(args.replicas).toString() }),
              ...args.environment,
              ...(database && databaseEnvironment(database)),
              ...Object.fromEntries(secrets.flatMap((files) => files.environment())),
            }).map(([key, value]) => `${key}=${value}`),
            volumes: [
              ...(database ? [database.secrets.mountedAt("/run/secrets")] : []),
              ...secrets.map((files) => files.volume()),
              ...(live?.volumes ?? []),
            ],
            tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
            networksAdvanced: [
              { name: args.network.name, aliases: [service] },
              ...(database ? [{ name: database.network.name }] : []),
            ],
            healthcheck: spec.health?.command
              ? pollingHealthCheck(spec.health.command)
              : httpHealthCheck(spec.port, healthPath(spec)),
            destroyGraceSeconds: drainSeconds + 10,
            stopTimeout: drainSeconds + 10,
            labels: [
              ...labels({ service, role: "service", replica }),
              ...(ownSecrets
                ? [{ label: "dev.store.secrets", value: ownSecrets.files.version }]
                : []),
            ],
          },
          {
            parent: this,
            dependsOn: [
              ...(database ? [database.secrets.written] : []),
              ...secrets.map(({ files }) => files.written),
            ],
            ...CREATE_BEFORE_DELETE,
          },
        ),
    );

    this.containers = pulumi.all(instances.map((instance) => instance.name));
    this.containerIds = instances.map((instance) => instance.id);
    this.registerOutputs({ containers: this.containers });
  }
}

/** The names that spec.ts promises. */
function databaseEnvironment(database: DatabaseConnection): Record<string, string> {
  return {
    DATABASE_HOST: database.host,
    DATABASE_PORT: database.port.toString(),
    DATABASE_NAME: database.database,
    DATABASE_USER: database.user,
    DATABASE_PASSWORD_FILE: `/run/secrets/${PASSWORD_FILE}`,
  };
}

function liveRun(
  folder: string,
  service: string,
  spec: ServiceSpec,
): { command: string[]; volumes: docker.types.input.ContainerVolume[] } {
  if (spec.live === undefined) {
    throw new pulumi.RunError(
      `store:live: ${service} can't run from its sources, since services/${service}/service.ts has no "live". ` +
        `Take it off the list, or say there which folders to mount and what to run.`,
    );
  }
  return {
    command: [...spec.live.command],
    volumes: Object.entries(spec.live.mounts).map(([source, containerPath]) => ({
      // Docker takes absolute paths only; a checkout elsewhere is another container.
      hostPath: resolve(folder, source),
      containerPath,
      readOnly: true,
    })),
  };
}

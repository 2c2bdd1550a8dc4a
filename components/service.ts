import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { resolve } from "node:path";
import { healthPath, ServiceSpec } from "../services/spec";
import { CREATE_BEFORE_DELETE, hardened, START_SECONDS } from "./container/container";
import { httpHealthCheck, pollingHealthCheck } from "./container/health";
import { LABEL } from "./container/labelNames";
import { labels } from "./container/labels";
import { SecretFiles } from "./container/secrets";
import { DatabaseConnection, PASSWORD_FILE, poolSize } from "./database/database";

export interface ServiceArgs {
  /** Name of the service, which is also its DNS name for other services. */
  readonly service: string;
  readonly spec: ServiceSpec;
  /** ID of the image. */
  readonly imageId: pulumi.Input<string>;
  /** Number of instances. From 5 and from 9 instances on, each has fewer database connections: see `poolSize`. */
  readonly replicas: number;
  /** Network on which the gateway and dependent services reach the instances. */
  readonly network: docker.Network;
  /** Network by which the instances reach the internet. Defaults to none: they don't. */
  readonly egress?: docker.Network;
  /** The services that this one calls. Defaults to none. */
  readonly dependencies?: readonly Dependency[];
  /** Connection to the service's database. Defaults to none. */
  readonly database?: DatabaseConnection;
  /** Secrets of the stack. The service reads them at each use, so that a changed secret replaces no instance. Defaults to none. */
  readonly sharedSecrets?: readonly SecretFiles[];
  /** The service's own secrets, which it may read at its start only: a changed secret replaces the instances. Defaults to none. */
  readonly ownSecrets?: SecretFiles;
  /** Environment variables by name. Never secrets, because everybody who may inspect the container can read them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folder of the service, whose sources are mounted in dev mode. Defaults to none: the sources are those of the image. */
  readonly devModeFolder?: string;
}

/** A service that another one calls. */
export interface Dependency {
  readonly network: docker.Network;
  /** Its secrets, which must know the caller before its first call. */
  readonly secrets: readonly SecretFiles[];
}

/**
 * The instances of a microservice. When an instance changes, its replacement must be healthy before the old one is stopped, and the
 * old one serves requests until the gateway has noticed.
 */
export class Service extends pulumi.ComponentResource {
  /** Names of the containers. */
  readonly containers: pulumi.Output<string[]>;
  readonly containerIds: readonly pulumi.Output<string>[];

  constructor(name: string, args: ServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Service", name, {}, opts);

    const instances = Array.from({ length: args.replicas }, (_, replica) =>
      this.instance(`${name}-${replica}`, args, replica),
    );

    this.containers = pulumi.all(instances.map((instance) => instance.name));
    this.containerIds = instances.map((instance) => instance.id);
    this.registerOutputs({ containers: this.containers });
  }

  private instance(name: string, args: ServiceArgs, replica: number): docker.Container {
    const { service, spec, database, ownSecrets } = args;
    const secrets = secretFiles(args);
    const stopSeconds = drainSeconds(spec) + 10;
    const devMode = devModeRun(args);
    const withinSeconds = spec.health?.withinSeconds ?? START_SECONDS;
    return new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: spec.limits?.memoryMiB ?? 256, waitSeconds: withinSeconds }),
        image: args.imageId,
        // Not left to the image, whose user may be root.
        user: spec.user ?? "1000:1000",
        command: devMode?.command,
        envs: environment(args),
        volumes: [
          ...(database ? [database.secrets.mountedAt("/run/secrets")] : []),
          ...secrets.map((files) => files.volume()),
          ...(devMode?.volumes ?? []),
        ],
        tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
        networksAdvanced: connections(args),
        // Before Docker 26 its DNS server doesn't answer for a name that it doesn't know, such as that of a service without instances, to
        // a container without a way to the internet. By default, each look-up would wait for ten seconds.
        dnsOpts: ["timeout:1", "attempts:2"],
        healthcheck: spec.health?.command
          ? pollingHealthCheck(spec.health.command)
          : httpHealthCheck(spec.port, healthPath(spec), { withinSeconds }),
        destroyGraceSeconds: stopSeconds,
        stopTimeout: stopSeconds,
        labels: [
          ...labels({ service, role: "service", replica }),
          ...(ownSecrets ? [{ label: LABEL.secrets, value: ownSecrets.files.version }] : []),
        ],
      },
      {
        parent: this,
        dependsOn: [
          ...(database ? [database.ready] : []),
          ...secrets.map(({ files }) => files.written),
          ...(args.dependencies ?? []).flatMap((one) =>
            one.secrets.map(({ files }) => files.written),
          ),
        ],
        ...CREATE_BEFORE_DELETE,
      },
    );
  }
}

/** Returns the networks of an instance: its own, those of the services that it calls, its database's, and a way to the internet. */
function connections({
  service,
  network,
  dependencies = [],
  database,
  egress,
}: ServiceArgs): docker.types.input.ContainerNetworksAdvanced[] {
  const others = [
    ...dependencies.map((dependency) => dependency.network),
    ...(database ? [database.network] : []),
    ...(egress ? [egress] : []),
  ];
  return [{ name: network.name, aliases: [service] }, ...others.map(({ name }) => ({ name }))];
}

function secretFiles({ sharedSecrets = [], ownSecrets }: ServiceArgs): SecretFiles[] {
  return [...sharedSecrets, ...(ownSecrets ? [ownSecrets] : [])];
}

function drainSeconds(spec: ServiceSpec): number {
  return spec.drainSeconds ?? 1;
}

/** Returns the environment as "NAME=value". */
function environment(args: ServiceArgs): string[] {
  const { spec, database } = args;
  const variables = {
    PORT: spec.port.toString(),
    DRAIN_SECONDS: drainSeconds(spec).toString(),
    ...(database && { DATABASE_POOL_SIZE: poolSize(args.replicas).toString() }),
    ...args.environment,
    ...(database && databaseEnvironment(database)),
    ...Object.fromEntries(secretFiles(args).flatMap((files) => files.environment())),
  };
  return Object.entries(variables).map(([key, value]) => `${key}=${value}`);
}

/** Returns the variables with the names that services/spec.ts documents. */
function databaseEnvironment(database: DatabaseConnection): Record<string, string> {
  return {
    DATABASE_HOST: database.host,
    DATABASE_PORT: database.port.toString(),
    DATABASE_NAME: database.database,
    DATABASE_USER: database.user,
    DATABASE_PASSWORD_FILE: `/run/secrets/${PASSWORD_FILE}`,
  };
}

/** Returns the command and the mounted sources of a service in dev mode, or undefined for a service that isn't in dev mode. */
function devModeRun({
  devModeFolder,
  service,
  spec,
}: ServiceArgs):
  | { readonly command: string[]; readonly volumes: docker.types.input.ContainerVolume[] }
  | undefined {
  if (devModeFolder === undefined) return undefined;
  if (spec.live === undefined) {
    throw new pulumi.RunError(
      `store:live: ${service} has no dev mode, because services/${service}/service.ts has no "live". ` +
        `Remove ${service} from the list, or add "live" with the folders to mount and the command to run.`,
    );
  }
  return {
    command: [...spec.live.command],
    volumes: Object.entries(spec.live.mounts).map(([source, containerPath]) => ({
      // Docker accepts only absolute paths, so a checkout in another folder replaces the container.
      hostPath: resolve(devModeFolder, source),
      containerPath,
      readOnly: true,
    })),
  };
}

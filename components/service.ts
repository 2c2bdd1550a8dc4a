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
import type { ExternalDatabase } from "./database/externalDatabase";
import { swarmService, type SwarmServiceArgs } from "./swarm/swarmService";

export interface ServiceArgs {
  /** Name of the service, which is also its DNS name for other services. */
  readonly service: string;
  readonly spec: ServiceSpec;
  /** ID of the image, on one machine. */
  readonly imageId: pulumi.Input<string>;
  /** Image in a registry by digest, with which the instances run on the machines of a swarm. Defaults to none: they run on one machine. */
  readonly swarmImage?: pulumi.Input<string>;
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
  /** The service's database if it is on another server. Cannot be used together with `database`. Defaults to none. */
  readonly externalDatabase?: ExternalDatabase;
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
  /** Names of the containers, or on a swarm of the Swarm service. */
  readonly containers: pulumi.Output<string[]>;
  /** IDs of the containers: none on a swarm. */
  readonly containerIds: readonly pulumi.Output<string>[];

  constructor(name: string, args: ServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Service", name, {}, opts);

    if (args.swarmImage !== undefined) {
      const service = swarmService(name, swarmServiceArgs(args, args.swarmImage), {
        parent: this,
        dependsOn: needed(args),
      });
      this.containers = service.name.apply((one) => [one]);
      this.containerIds = [];
      this.registerOutputs({ containers: this.containers });
      return;
    }
    const instances = Array.from({ length: args.replicas }, (_, replica) =>
      this.instance(`${name}-${replica}`, args, replica),
    );

    this.containers = pulumi.all(instances.map((instance) => instance.name));
    this.containerIds = instances.map((instance) => instance.id);
    this.registerOutputs({ containers: this.containers });
  }

  private instance(name: string, args: ServiceArgs, replica: number): docker.Container {
    const { service, spec, database } = args;
    const secrets = secretFiles(args);
    const stopSeconds = drainSeconds(spec) + 10;
    const devMode = devModeRun(args);
    const withinSeconds = startSeconds(spec);
    return new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: memoryMiB(spec), waitSeconds: withinSeconds }),
        image: args.imageId,
        user: userOf(spec),
        command: devMode?.command,
        envs: Object.entries(environment(args)).map(([key, value]) => `${key}=${value}`),
        volumes: [
          ...(database ? [database.secrets.mountedAt("/run/secrets")] : []),
          ...secrets.flatMap((files) => files.volumes()),
          ...(devMode?.volumes ?? []),
        ],
        tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
        networksAdvanced: [
          { name: args.network.name, aliases: [service] },
          ...otherNetworks(args).map((network) => ({ name: network.name })),
        ],
        // Before Docker 26 its DNS server doesn't answer for a name that it doesn't know, such as that of a service without instances, to
        // a container without a way to the internet. By default, each look-up would wait for ten seconds.
        dnsOpts: ["timeout:1", "attempts:2"],
        healthcheck: healthCheck(spec),
        destroyGraceSeconds: stopSeconds,
        stopTimeout: stopSeconds,
        labels: [...labels({ service, role: "service", replica }), ...secretsLabel(args)],
      },
      {
        parent: this,
        dependsOn: needed(args),
        ...CREATE_BEFORE_DELETE,
      },
    );
  }
}

/** Returns the label by which a change of the secrets that are the service's own replaces the instances. */
function secretsLabel(args: ServiceArgs): docker.types.input.ContainerLabel[] {
  const versions = ownSecretFiles(args).flatMap(({ files }) => (files ? [files.version] : []));
  const value = pulumi.all(versions).apply((all) => all.join(" "));
  return versions.length === 0 ? [] : [{ label: LABEL.secrets, value }];
}

function swarmServiceArgs(args: ServiceArgs, image: pulumi.Input<string>): SwarmServiceArgs {
  const { service, spec, replicas, network, database } = args;
  return {
    ...{ service, image, replicas, network, otherNetworks: otherNetworks(args) },
    user: userOf(spec),
    environment: environment(args),
    secrets: [
      ...(database?.swarmSecret ? [database.swarmSecret] : []),
      ...secretFiles(args).flatMap((files) => files.swarmFiles),
    ],
    healthcheck: healthCheck(spec),
    withinSeconds: startSeconds(spec),
    memoryMiB: memoryMiB(spec),
    stopSeconds: drainSeconds(spec) + 10,
  };
}

/** Returns what must exist before an instance starts. */
function needed(args: ServiceArgs): pulumi.Resource[] {
  const { database, externalDatabase, dependencies = [] } = args;
  return [
    ...(database ? [database.ready] : []),
    ...(externalDatabase ? [externalDatabase.ready] : []),
    ...secretFiles(args).flatMap((files) => files.written),
    ...dependencies.flatMap((one) => one.secrets.flatMap((files) => files.written)),
  ];
}

/** Returns the networks of an instance beside its own: those of the services that it calls, its database's, and a way to the internet. */
function otherNetworks({ dependencies = [], database, egress }: ServiceArgs): docker.Network[] {
  return [
    ...dependencies.map((dependency) => dependency.network),
    ...(database ? [database.network] : []),
    ...(egress ? [egress] : []),
  ];
}

/** Not left to the image, whose user may be root. */
function userOf(spec: ServiceSpec): string {
  return spec.user ?? "1000:1000";
}

function memoryMiB(spec: ServiceSpec): number {
  return spec.limits?.memoryMiB ?? 256;
}

/** Returns the seconds within which an instance must be healthy. */
function startSeconds(spec: ServiceSpec): number {
  return spec.health?.withinSeconds ?? START_SECONDS;
}

function healthCheck(spec: ServiceSpec): docker.types.input.ContainerHealthcheck {
  return spec.health?.command
    ? pollingHealthCheck(spec.health.command)
    : httpHealthCheck(spec.port, healthPath(spec), { withinSeconds: startSeconds(spec) });
}

function secretFiles(args: ServiceArgs): SecretFiles[] {
  return [...(args.sharedSecrets ?? []), ...ownSecretFiles(args)];
}

function ownSecretFiles({ ownSecrets, externalDatabase }: ServiceArgs): SecretFiles[] {
  return [
    ...(ownSecrets ? [ownSecrets] : []),
    ...(externalDatabase ? [externalDatabase.secrets] : []),
  ];
}

function drainSeconds(spec: ServiceSpec): number {
  return spec.drainSeconds ?? 1;
}

/** Returns the environment variables by name. */
function environment(args: ServiceArgs): Record<string, string> {
  const { spec, database, externalDatabase } = args;
  return {
    PORT: spec.port.toString(),
    DRAIN_SECONDS: drainSeconds(spec).toString(),
    ...((database ?? externalDatabase) && {
      DATABASE_POOL_SIZE: poolSize(args.replicas).toString(),
    }),
    ...args.environment,
    ...(database && databaseEnvironment(database)),
    ...externalDatabase?.environment,
    ...Object.fromEntries(secretFiles(args).flatMap((files) => files.environment())),
  };
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

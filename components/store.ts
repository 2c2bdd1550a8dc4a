import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { dependenciesOf, healthPath, ServiceSpec, StackSecret } from "../services/spec";
import { Database, DatabaseData } from "./database/database";
import { Gateway } from "./gateway/gateway";
import { Host } from "./host/host";
import { ImageSource } from "./image/image";
import { BuiltImages, folderOf, ImageSupply, PublishedImages } from "./image/images";
import { labels } from "./container/labels";
import { Publishing } from "./registry/registry";
import { SecretFiles, SecretFilesArgs } from "./container/secrets";
import { Service } from "./service";

export interface StoreArgs {
  readonly host: Host;
  /** Makes the passwords. */
  readonly passwords: random.Provider;
  /** Every service that there is, by its name. */
  readonly specs: ReadonlyMap<string, ServiceSpec>;
  /** Names of the services to run. */
  readonly running: readonly string[];
  /** Names of the running services whose sources are mounted. @default [] */
  readonly live?: readonly string[];
  /** How many instances a service runs, where that isn't what its spec says. @default {} */
  readonly replicas?: Readonly<Record<string, number>>;
  /** Third-party images by exact version. */
  readonly images: { readonly node: string; readonly postgres: string; readonly haproxy: string };
  /** Where this checkout comes from, for the images' labels. */
  readonly source: pulumi.Input<ImageSource>;
  /** Where images are pushed to and pulled from. @default nowhere: they are built on the host */
  readonly publish?: Publishing;
  /** Port of the host for the gateway. */
  readonly httpPort: number;
  /** Requests that one client address may send to the gateway in 10 s; 0 is no limit, also none of those in the specs. */
  readonly requestLimit: number;
  /** Further variables, by service and name. @default {} */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Further secrets, by service and name. @default {} */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, pulumi.Input<string>>>>>;
  /** Where the services send traces, by OTLP/HTTP. @default nowhere */
  readonly otlpEndpoint?: string;
  /** Whether an empty catalogue is filled with demo products. */
  readonly demoData: boolean;
}

/** The store: the gateway, the services and their databases on one host. */
export class Store extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  /** Content-addressed image of each running service. */
  readonly images: Record<string, pulumi.Input<string>>;
  /** Names of each running service's containers. */
  readonly containers: Record<string, pulumi.Output<string[]>>;
  /** What the store's own people send as `Authorization: Bearer`. A secret. */
  readonly staffToken: pulumi.Output<string>;

  constructor(name: string, args: StoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "store:index:Store",
      name,
      {},
      { ...opts, ...args.host.childOptions, providers: [args.host.provider, args.passwords] },
    );
    const here = { parent: this };
    refuseLiveElsewhere(args);

    const networks = {
      edge: new docker.Network("edge", { labels: labels() }, here),
      backend: new docker.Network("backend", { labels: labels() }, here),
    };
    const images = imageSupply(args, here);
    const haproxyImageId = images.thirdParty("gateway", args.images.haproxy);
    const postgresImageId = [...args.specs.values()].some((spec) => spec.database)
      ? images.thirdParty("database", args.images.postgres)
      : undefined;

    // Data is kept for every service, run or not: a service that is left out for a while finds its data again.
    const withData = [...args.specs].filter(([, spec]) => spec.database).map(([name]) => name);
    const after = dataFolders(args.host, withData, here);
    const data = new Map(
      withData.map((service) => [
        service,
        new DatabaseData(`${service}-data`, { service, host: args.host, after }, here),
      ]),
    );

    // Letters and digits only: people put it into headers and command lines.
    const staffToken = new random.RandomPassword(
      "staff-token",
      { length: 40, special: false },
      here,
    );
    this.staffToken = staffToken.result;
    const stackSecrets = new SharedSecrets(
      { STAFF_TOKEN: staffToken.result },
      { host: args.host, imageId: haproxyImageId },
      here,
    );

    const running = args.running.map((service) => {
      const spec = specOf(args.specs, service);
      const image = images.of(service, spec);
      const database = databaseOf(service, args.host, data.get(service), postgresImageId, here);
      const component = new Service(
        service,
        {
          service,
          spec,
          imageId: image.imageId,
          replicas: args.replicas?.[service] ?? spec.replicas ?? 1,
          network: networks[spec.network ?? "backend"],
          database: database?.connection,
          sharedSecrets: (spec.secrets ?? []).map((secret) => stackSecrets.of(secret)),
          ownSecrets: secretsOf(
            service,
            args.secrets?.[service],
            { host: args.host, imageId: haproxyImageId },
            here,
          ),
          environment: { ...environment(spec, args), ...args.environment?.[service] },
          liveFolder: args.live?.includes(service) ? folderOf(service) : undefined,
        },
        here,
      );
      return { service, spec, image, database, component };
    });

    const gateway = new Gateway(
      "gateway",
      {
        imageId: haproxyImageId,
        routes: running.map(({ service, spec }) => ({
          service,
          port: spec.port,
          prefixes: spec.routes ?? [],
          healthPath: healthPath(spec),
          rateLimits: spec.rateLimits ?? [],
        })),
        networks: Object.values(networks),
        httpPort: args.httpPort,
        requestLimit: args.requestLimit,
        host: args.host,
        after: running.map(({ component }) => component),
      },
      here,
    );

    limitProcesses(args.host, here, [
      { containers: [gateway.containerId], processes: GATEWAY_PROCESSES },
      ...running.flatMap(({ spec, database, component }) => [
        { containers: component.containerIds, processes: spec.limits?.pids ?? SERVICE_PROCESSES },
        { containers: database ? [database.containerId] : [], processes: DATABASE_PROCESSES },
      ]),
    ]);

    this.url = pulumi.interpolate`http://${args.host.address}${args.httpPort === 80 ? "" : `:${args.httpPort}`}`;
    this.images = Object.fromEntries(running.map(({ service, image }) => [service, image.ref]));
    this.containers = Object.fromEntries(
      running.map(({ service, component }) => [service, component.containers]),
    );
    this.registerOutputs({ url: this.url, images: this.images });
  }
}

/** What the volumes of these services' data need. One command for all, since each resource costs every run. */
function dataFolders(
  host: Host,
  services: readonly string[],
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  if (host.dataFolders === undefined || services.length === 0) return [];
  return [host.run("data-folders", host.dataFolders([...services].sort()), opts)];
}

/** Most processes and threads at a time: HAProxy has a thread for each core, twice while it reloads. */
const GATEWAY_PROCESSES = 512;
const SERVICE_PROCESSES = 128;
/** PostgreSQL takes 100 connections, each a process, and has a dozen of its own. */
const DATABASE_PROCESSES = 256;

/**
 * Puts a limit on how many processes a container can have. The docker provider has no argument for it, so it is set right
 * after the containers have been made.
 */
function limitProcesses(
  host: Host,
  opts: pulumi.CustomResourceOptions,
  limits: readonly {
    readonly containers: readonly pulumi.Output<string>[];
    readonly processes: number;
  }[],
): void {
  const commands = limits.flatMap(({ containers, processes }) =>
    containers.map(
      (id) => pulumi.interpolate`docker update --pids-limit ${processes} ${id} >/dev/null`,
    ),
  );
  host.run(
    "process-limits",
    pulumi.all(commands).apply((lines) => lines.join(" &&\n")),
    opts,
  );
}

/** Sources can be mounted only where this checkout is. */
function refuseLiveElsewhere({ host, live = [] }: StoreArgs): void {
  if (host.sharesFiles || live.length === 0) return;
  throw new pulumi.RunError(
    `store:live: ${live.join(", ")} can't run from the sources here, since the store runs on another machine, which doesn't ` +
      `have them. Leave the key out: an "up" brings what has changed there as a new image.`,
  );
}

/** The stack's secrets as files, each made once, when the first service asks for it. */
class SharedSecrets {
  private readonly made = new Map<StackSecret, SecretFiles>();

  constructor(
    private readonly values: Readonly<Record<StackSecret, pulumi.Input<string>>>,
    private readonly place: Pick<SecretFilesArgs, "host" | "imageId">,
    private readonly opts: pulumi.ComponentResourceOptions,
  ) {}

  of(secret: StackSecret): SecretFiles {
    const known = this.made.get(secret);
    if (known) return known;
    const files = new SecretFiles(
      secret.toLowerCase().replaceAll("_", "-"),
      { ...this.place, secrets: { [secret]: this.values[secret] } },
      this.opts,
    );
    this.made.set(secret, files);
    return files;
  }
}

function imageSupply(args: StoreArgs, opts: pulumi.ComponentResourceOptions): ImageSupply {
  const common = {
    nodeImage: args.images.node,
    live: args.live ?? [],
    source: args.source,
    opts,
  };
  if (args.publish === undefined) return new BuiltImages(common);
  return new PublishedImages({ ...common, ...args.publish, host: args.host });
}

function databaseOf(
  service: string,
  host: Host,
  data: DatabaseData | undefined,
  imageId: pulumi.Output<string> | undefined,
  opts: pulumi.ComponentResourceOptions,
): Database | undefined {
  if (data === undefined || imageId === undefined) return undefined;
  return new Database(`${service}-database`, { service, host, data, imageId }, opts);
}

function secretsOf(
  service: string,
  secrets: Readonly<Record<string, pulumi.Input<string>>> = {},
  place: Pick<SecretFilesArgs, "host" | "imageId">,
  opts: pulumi.ComponentResourceOptions,
): SecretFiles | undefined {
  if (Object.keys(secrets).length === 0) return undefined;
  return new SecretFiles(`${service}-secrets`, { service, ...place, secrets }, opts);
}

function environment(spec: ServiceSpec, args: StoreArgs): Record<string, string> {
  const edge = (spec.network ?? "backend") === "edge";
  return {
    ...(edge && { GATEWAY_URL: "http://gateway" }),
    ...Object.fromEntries(
      dependenciesOf(spec).map((dependency) => [
        `${dependency.toUpperCase().replaceAll("-", "_")}_URL`,
        `http://${dependency}:${specOf(args.specs, dependency).port}`,
      ]),
    ),
    ...(args.otlpEndpoint && { OTEL_EXPORTER_OTLP_ENDPOINT: args.otlpEndpoint }),
    ...(spec.database && { DEMO_DATA: args.demoData.toString() }),
  };
}

function specOf(specs: ReadonlyMap<string, ServiceSpec>, service: string): ServiceSpec {
  const spec = specs.get(service);
  if (spec === undefined) throw new pulumi.RunError(`There is no service ${service}.`);
  return spec;
}

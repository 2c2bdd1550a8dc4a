import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { dependenciesOf, healthPath, ServiceSpec } from "../services/spec";
import { callFiles } from "./calls";
import { CERTIFICATES_FOLDER } from "./certificates/acme";
import { acmeOf, automaticHttps } from "./certificates/automaticHttps";
import type { CertificateOrders } from "./certificates/certificateOrders";
import { limitProcesses } from "./container/processLimits";
import { SecretFiles, SharedSecrets } from "./container/secrets";
import { Database, DatabaseData } from "./database/database";
import { ExternalDatabase } from "./database/externalDatabase";
import { Gateway } from "./gateway/gateway";
import { type Https, httpsUrl } from "./gateway/https";
import { Host } from "./host/host";
import { imageSupply } from "./image/images";
import type { ImageSupply, SuppliedImage } from "./image/imageSupply";
import { folderOf } from "./image/serviceContent";
import { Networks } from "./networks";
import { Service } from "./service";
import { serviceEnvironment, specOf } from "./serviceEnvironment";
import { staffTokens } from "./staffTokens";
import type { StoreArgs } from "./storeArgs";

/** The store: the gateway, the services and their databases on one host. */
export class Store extends pulumi.ComponentResource {
  /** Address of the gateway. */
  readonly url: pulumi.Output<string>;
  /** Content-addressed image of each enabled service. */
  readonly images: Record<string, pulumi.Input<string>>;
  /** Names of the containers of each enabled service. */
  readonly containers: Record<string, pulumi.Output<string[]>>;
  /** First token that staff send as `Authorization: Bearer`. A secret. Undefined if the configuration replaces or removes it. */
  readonly staffToken: pulumi.Output<string> | undefined;

  constructor(name: string, args: StoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super(
      "store:index:Store",
      name,
      {},
      { ...opts, ...args.host.childOptions, providers: [args.host.provider, args.passwords] },
    );
    refuseDevModeElsewhere(args);

    const specs = new Map(args.enabledServices.map((name) => [name, specOf(args.specs, name)]));
    const networks = new Networks(withWaysOut(specs, args), args.host, { parent: this });
    const images = imageSupply({
      nodeImage: args.images.node,
      devModeServices: args.devModeServices ?? [],
      source: args.source,
      host: args.host,
      publish: args.publish,
      buildxBuilder: args.buildxBuilder,
      opts: { parent: this },
    });
    const gatewayImageId = images.thirdParty("gateway", args.images.haproxy);
    const databaseImageId = this.databaseImage(args, images);
    const folders = this.dataFolders(args);
    const data = this.databaseData(args, folders);
    const { https, order } = automaticHttps(args.https, args.host, folders, { parent: this });
    const { first, secrets } = staffTokens({
      created: this.newStaffToken(),
      named: args.staffTokens ?? {},
    });
    this.staffToken = first;
    const sharedSecrets = new SharedSecrets(
      secrets,
      { host: args.host, imageId: gatewayImageId },
      { parent: this },
    );
    const calls = callFiles(specs, { host: args.host, imageId: gatewayImageId }, { parent: this });
    const services = args.enabledServices.map((service) =>
      this.service(service, args, {
        ...{ networks, images, gatewayImageId, databaseImageId, sharedSecrets, calls },
        data: data.get(service),
      }),
    );
    const gateway = this.gateway({ ...args, https }, gatewayImageId, networks, services);
    const orders = order?.(
      { lego: images.thirdParty("certificates", args.images.lego), files: gatewayImageId },
      [gateway, ...(args.host.nameRecords ?? [])],
    );
    this.limitProcesses(args.host, gateway, services, orders);
    const waysOut = [...networks.waysOut, ...(orders ? [orders.networkId] : [])];
    args.host.closePortsTo?.(waysOut, { parent: this });

    this.url = args.https
      ? pulumi.output(httpsUrl(args.https))
      : pulumi.interpolate`http://${args.host.address}${args.httpPort === 80 ? "" : `:${args.httpPort}`}`;
    this.images = Object.fromEntries(services.map(({ service, image }) => [service, image.ref]));
    this.containers = Object.fromEntries(
      services.map(({ service, component }) => [service, component.containers]),
    );
    this.registerOutputs({ url: this.url, images: this.images });
  }

  private databaseImage(args: StoreArgs, images: ImageSupply): pulumi.Output<string> | undefined {
    return withDatabase(args.specs).length === 0
      ? undefined
      : images.thirdParty("database", args.images.postgres);
  }

  /** Creates the folders of all data volumes. One command, because each resource takes time in every run. */
  private dataFolders({ host, specs, https }: StoreArgs): pulumi.Resource[] {
    const folders = [...withDatabase(specs), ...(acmeOf(https) ? [CERTIFICATES_FOLDER] : [])];
    return host.dataFolders === undefined || folders.length === 0
      ? []
      : [host.run("data-folders", host.dataFolders(folders.sort()), { parent: this })];
  }

  /** Also for services that aren't enabled: a service that is disabled for a while keeps its data. */
  private databaseData(
    { host, specs }: StoreArgs,
    after: readonly pulumi.Resource[],
  ): Map<string, DatabaseData> {
    return new Map(
      withDatabase(specs).map((service) => [
        service,
        new DatabaseData(`${service}-data`, { service, host, after }, { parent: this }),
      ]),
    );
  }

  private newStaffToken(): pulumi.Output<string> {
    return new random.RandomPassword(
      "staff-token",
      // Letters and digits only, because people put it into headers and command lines.
      { length: 40, special: false },
      { parent: this },
    ).result;
  }

  private service(service: string, args: StoreArgs, parts: ServiceParts): DeployedService {
    const opts = { parent: this };
    const { host } = args;
    const spec = specOf(args.specs, service);
    const image = parts.images.of(service, spec);
    const { database, externalDatabase } = this.serviceDatabase(service, args, parts);
    const secrets = args.secrets?.[service] ?? {};
    const ownSecrets =
      Object.keys(secrets).length === 0
        ? undefined
        : new SecretFiles(
            `${service}-secrets`,
            { service, host, imageId: parts.gatewayImageId, secrets },
            opts,
          );
    const component = new Service(
      service,
      {
        service,
        spec,
        imageId: image.imageId,
        swarmImage: host.swarm && required(image.byDigest),
        replicas: args.replicas?.[service] ?? spec.replicas ?? 1,
        ...{ network: parts.networks.of(service), egress: parts.networks.egressOf(service) },
        ...{ database: database?.connection, externalDatabase },
        sharedSecrets: [
          ...(spec.secrets ?? []).map((secret) => parts.sharedSecrets.of(secret)),
          ...callFilesOf(service, parts.calls),
        ],
        dependencies: dependenciesOf(spec).map((dependency) => ({
          network: parts.networks.of(dependency),
          secrets: callFilesOf(dependency, parts.calls),
        })),
        ownSecrets,
        environment: { ...serviceEnvironment(spec, args), ...args.environment?.[service] },
        devModeFolder: args.devModeServices?.includes(service) ? folderOf(service) : undefined,
      },
      opts,
    );
    return { service, spec, image, database, component };
  }

  /** Returns the service's database: in a container of its own, or on another server. The data volume of the former stays in any case. */
  private serviceDatabase(
    service: string,
    { host, externalDatabases }: StoreArgs,
    { data, databaseImageId: imageId, gatewayImageId: filesImageId, networks }: ServiceParts,
  ): { readonly database?: Database; readonly externalDatabase?: ExternalDatabase } {
    if (data === undefined || imageId === undefined) return {};
    const [name, opts] = [`${service}-database`, { parent: this }];
    const server = externalDatabases?.[service];
    if (server === undefined)
      return { database: new Database(name, { service, host, data, imageId }, opts) };
    const network = networks.egressOf(service) ?? networks.of(service);
    const args = { service, host, server, imageId, filesImageId, network };
    return { externalDatabase: new ExternalDatabase(name, args, opts) };
  }

  private gateway(
    { host, requestLimit, connectionLimit, ...args }: GatewayParts,
    imageId: pulumi.Output<string>,
    networks: Networks,
    services: readonly DeployedService[],
  ): Gateway {
    return new Gateway(
      "gateway",
      {
        imageId,
        routes: services.map(({ service, spec }) => ({
          service,
          port: spec.port,
          prefixes: spec.routes ?? [],
          hosts: spec.hosts,
          healthPath: healthPath(spec),
          rateLimits: spec.rateLimits ?? [],
          timeouts: spec.timeouts ?? [],
        })),
        network: networks.gateway,
        serviceNetworks: networks.all,
        httpPort: args.httpPort,
        https: args.https,
        trustedProxies: args.trustedProxies,
        allowedHosts: args.allowedHosts,
        clientLimits: { requests: requestLimit, connections: connectionLimit },
        host,
        after: services.map(({ component }) => component),
      },
      { parent: this },
    );
  }

  private limitProcesses(
    host: Host,
    gateway: Gateway,
    services: readonly DeployedService[],
    orders: CertificateOrders | undefined,
  ): void {
    limitProcesses(host, { parent: this }, [
      { role: "gateway", containers: [gateway.containerId] },
      ...(orders ? [{ role: "certificates", containers: [orders.containerId] } as const] : []),
      ...services.flatMap(({ spec, database, component }) => [
        {
          role: "service",
          containers: component.containerIds,
          processes: spec.limits?.pids,
        } as const,
        { role: "database", containers: database ? [database.containerId] : [] } as const,
      ]),
    ]);
  }
}

type GatewayParts = Omit<StoreArgs, "https"> & { readonly https: Https | undefined };

interface ServiceParts {
  readonly networks: Networks;
  readonly images: ImageSupply;
  /** ID of an image with a shell, which writes secret files. */
  readonly gatewayImageId: pulumi.Output<string>;
  readonly databaseImageId: pulumi.Output<string> | undefined;
  readonly data: DatabaseData | undefined;
  readonly sharedSecrets: SharedSecrets;
  /** Files by which services know who calls them, by service. */
  readonly calls: ReadonlyMap<string, SecretFiles>;
}

interface DeployedService {
  readonly service: string;
  readonly spec: ServiceSpec;
  readonly image: SuppliedImage;
  readonly database: Database | undefined;
  readonly component: Service;
}

/** The configuration allows several machines with a registry only. */
function required(byDigest: pulumi.Output<string> | undefined): pulumi.Output<string> {
  if (byDigest === undefined) throw new Error("the machines of a swarm have no registry");
  return byDigest;
}

function callFilesOf(service: string, calls: ServiceParts["calls"]): SecretFiles[] {
  const files = calls.get(service);
  return files === undefined ? [] : [files];
}

/** Sources can be mounted only on the machine that has this checkout. */
function refuseDevModeElsewhere({ host, devModeServices = [] }: StoreArgs): void {
  if (host.sharesFiles || devModeServices.length === 0) return;
  throw new pulumi.RunError(
    `store:live: ${devModeServices.join(", ")} can't run in dev mode, because the host doesn't have the sources: the store runs on ` +
      `another machine. Remove the key; "up" builds and deploys changed sources as new images.`,
  );
}

/** Returns the specs, with a way to the internet for the services whose database is there. */
function withWaysOut(
  specs: ReadonlyMap<string, ServiceSpec>,
  { externalDatabases = {} }: StoreArgs,
): ReadonlyMap<string, ServiceSpec> {
  return new Map(
    [...specs].map(([name, spec]) => [
      name,
      externalDatabases[name] ? { ...spec, egress: true } : spec,
    ]),
  );
}

/** Names of the services that have a database. */
function withDatabase(specs: ReadonlyMap<string, ServiceSpec>): string[] {
  return [...specs].filter(([, spec]) => spec.database).map(([name]) => name);
}

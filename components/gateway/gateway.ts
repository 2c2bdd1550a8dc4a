import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DELETE_BEFORE_CREATE, hardened, START_SECONDS } from "../container/container";
import { Files } from "../container/files";
import { GATEWAY_ADMIN_PORT, GATEWAY_HTTPS_PORT, GATEWAY_PUBLISHED_PORT } from "./rules/clients";
import {
  ClientLimits,
  type GatewayConfig,
  haproxyConfig,
  HTTPS_MEMORY_MIB,
  MEMORY_MIB,
  Route,
} from "./haproxy";
import { acceptedHosts } from "./rules/allowedHosts";
import {
  CERTIFICATE_FILE,
  CERTIFICATE_FOLDER,
  Https,
  httpsUrl,
  initialPem,
  ORDERED_FOLDER,
  orderedCertificate,
  orderedFiles,
  startScript,
} from "./https";
import { HTTP_GET_SCRIPT, httpHealthCheck } from "../container/health";
import { Host } from "../host/host";
import { LABEL } from "../container/labelNames";
import { labels } from "../container/labels";
import { GATEWAY_NAME, type ServiceNetwork } from "../networks";
import { readWithoutComments, withArguments } from "../shell/shell";

export interface GatewayArgs {
  /** ID of the HAProxy image. */
  readonly imageId: pulumi.Input<string>;
  readonly routes: readonly Route[];
  /** Network of the gateway alone. */
  readonly network: docker.Network;
  /** Networks on which the gateway reaches the services. */
  readonly serviceNetworks: readonly ServiceNetwork[];
  /** Port of the host on which the gateway is published. */
  readonly httpPort: number;
  /** Defaults to HTTP only. */
  readonly https?: Https;
  /** Address ranges of proxies in front of the gateway, whose X-Forwarded headers count. Defaults to none. */
  readonly trustedProxies?: readonly string[];
  /** Further host names that are accepted, beside the host's address and the names of {@link https}. "*" accepts any. Defaults to none. */
  readonly allowedHosts?: readonly string[];
  readonly clientLimits: ClientLimits;
  readonly host: Host;
  /** Resources that must exist before the configuration routes requests to them. */
  readonly after: readonly pulumi.Resource[];
}

/** The gateway: HAProxy with the routes of the services' specs. Its ports are the only published ones. */
export class Gateway extends pulumi.ComponentResource {
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Gateway", name, {}, opts);

    // A changed configuration or certificate doesn't replace the container: HAProxy reloads it without an interruption.
    const config = gatewayConfig(args);
    const certificate = args.https && this.certificate(name, args, args.https);
    const ordered = orderedCertificate(args.https);
    const files = new Files(
      `${name}-config`,
      {
        service: "gateway",
        host: args.host,
        imageId: args.imageId,
        files: config.apply(({ files }) => ({
          ...files,
          ...(ordered && orderedFiles(ordered)),
          [START]: startScript(args.https),
          [RELOAD]: RELOAD_SCRIPT,
        })),
        after: [...args.after, ...(certificate ? [certificate.written] : [])],
      },
      { parent: this },
    );

    const portsAreFree = publishedPorts(args).map(({ suffix, internal, external }) =>
      this.portIsFree(`${name}${suffix}`, args, files, { internal, external }),
    );
    const volumes = [
      files.mountedAt(FOLDER),
      ...(certificate ? [certificate.mountedAt(CERTIFICATE_FOLDER)] : []),
      ...(ordered
        ? [{ volumeName: ordered.volumeName, containerPath: ORDERED_FOLDER, readOnly: true }]
        : []),
    ];
    const container = this.proxy(name, args, [files.written, ...portsAreFree], volumes);
    args.host.run(
      `${name}-reload`,
      pulumi
        .all([
          container.id,
          pulumi.all(args.serviceNetworks.map(joinedNetwork)),
          files.version,
          config,
        ])
        .apply(
          ([id, networks, filesVersion, { version }]) =>
            // The comment makes the command run again for other files.
            `${withArguments(APPLY_CONFIG_SCRIPT, [id, version, ...networks])}# ${filesVersion}\n`,
        ),
      { parent: this },
    );

    this.containerId = container.id;
    this.registerOutputs({ containerId: this.containerId });
  }

  private certificate(name: string, args: GatewayArgs, https: Https): Files {
    return new Files(
      `${name}-certificate`,
      {
        service: "gateway",
        host: args.host,
        imageId: args.imageId,
        files: { [CERTIFICATE_FILE]: initialPem(https) },
        // A certificate from the configuration, which isn't there any more, serves until the first order has succeeded.
        isInitial: orderedCertificate(https) !== undefined,
      },
      { parent: this },
    );
  }

  private portIsFree(
    name: string,
    args: GatewayArgs,
    files: Files,
    { internal, external }: { readonly internal: number; readonly external: number },
  ): pulumi.Resource {
    return args.host.run(
      name,
      pulumi
        .all([args.imageId, files.volumeName])
        .apply(([image, volume]) =>
          withArguments(PORT_CHECK_SCRIPT, [
            image,
            volume,
            `${args.host.bindAddress}:${external}:${internal}`,
            external.toString(),
          ]),
        ),
      { parent: this },
    );
  }

  private proxy(
    name: string,
    args: GatewayArgs,
    after: readonly pulumi.Resource[],
    volumes: docker.types.input.ContainerVolume[],
  ): docker.Container {
    const { https, host } = args;
    return new docker.Container(
      name,
      {
        ...hardened({
          memoryMiB: https ? HTTPS_MEMORY_MIB : MEMORY_MIB,
          waitSeconds: START_SECONDS,
        }),
        image: args.imageId,
        user: "haproxy",
        entrypoints: ["bash", `${FOLDER}/${START}`],
        volumes,
        tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
        ports: publishedPorts(args).map(({ internal, external }) => ({
          internal,
          external,
          ip: host.bindAddress,
        })),
        // Only this one: a change of the list would replace the container. applyConfig.sh joins the services' networks.
        networksAdvanced: [{ name: args.network.name, aliases: [GATEWAY_NAME] }],
        healthcheck: httpHealthCheck(GATEWAY_ADMIN_PORT, "/healthz"),
        destroyGraceSeconds: 30,
        stopTimeout: 30,
        labels: [
          ...labels({ service: "gateway", role: "gateway" }),
          // For the store command, which can't tell the store's name from the ports.
          ...(https ? [{ label: LABEL.url, value: httpsUrl(https) }] : []),
        ],
      },
      {
        parent: this,
        dependsOn: [
          ...after,
          // Docker deletes no network that a container has joined: the container must be deleted first.
          ...args.serviceNetworks.map(({ network }) => network),
        ],
        ...DELETE_BEFORE_CREATE,
      },
    );
  }
}

/** Known as soon as the host's address is. */
function gatewayConfig(args: GatewayArgs): pulumi.Output<GatewayConfig> {
  const { https, trustedProxies, allowedHosts } = args;
  return pulumi.output(args.host.address).apply((address) => {
    const names = [...(https?.names ?? []), ...args.routes.flatMap((route) => route.hosts ?? [])];
    const hosts = acceptedHosts({ address, names, further: allowedHosts });
    return haproxyConfig(args.routes, args.clientLimits, { https, trustedProxies, hosts });
  });
}

/** Returns an argument of applyConfig.sh. */
function joinedNetwork({ network, gatewayName }: ServiceNetwork): pulumi.Output<string> {
  return network.name.apply((name) => `${name}=${gatewayName ?? ""}`);
}

interface PublishedPort {
  /** Suffix of the name of the resource that checks the port. */
  readonly suffix: string;
  readonly internal: number;
  readonly external: number;
}

/** In the order in which Docker reports them; any other order would be a difference after each refresh. */
function publishedPorts({ httpPort, https }: GatewayArgs): PublishedPort[] {
  return [
    { suffix: "-port", internal: GATEWAY_PUBLISHED_PORT, external: httpPort },
    ...(https
      ? [{ suffix: "-https-port", internal: GATEWAY_HTTPS_PORT, external: https.port }]
      : []),
  ];
}

const FOLDER = "/etc/store";
const START = "start.sh";
const RELOAD = "reload.sh";

const PORT_CHECK_SCRIPT = readWithoutComments(__dirname, "portCheck.sh");

const APPLY_CONFIG_SCRIPT = readWithoutComments(__dirname, "applyConfig.sh");

/** Reloads the configuration of a running HAProxy without refusing a request. */
const RELOAD_SCRIPT = `${HTTP_GET_SCRIPT}\n${readWithoutComments(__dirname, "reload.sh")}\n`;

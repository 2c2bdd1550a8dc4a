import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DELETE_BEFORE_CREATE, hardened, START_SECONDS } from "../container/container";
import { Files } from "../container/files";
import {
  ClientLimits,
  GATEWAY_ADMIN_PORT,
  GATEWAY_PUBLISHED_PORT,
  haproxyConfig,
  MEMORY_MIB,
  Route,
} from "./haproxy";
import { HTTP_GET_SCRIPT, httpHealthCheck } from "../container/health";
import { Host } from "../host/host";
import { labels } from "../container/labels";
import { readWithoutComments, withArguments } from "../shell/shell";

export interface GatewayArgs {
  /** ID of the HAProxy image. */
  readonly imageId: pulumi.Input<string>;
  readonly routes: readonly Route[];
  /** Networks of the services. The gateway's DNS name on each is "gateway". */
  readonly networks: readonly docker.Network[];
  /** Port of the host on which the gateway is published. */
  readonly httpPort: number;
  readonly clientLimits: ClientLimits;
  readonly host: Host;
  /** Resources that must exist before the configuration routes requests to them. */
  readonly after: readonly pulumi.Resource[];
}

/** The gateway: HAProxy with the routes of the services' specs. Its port is the only published one. */
export class Gateway extends pulumi.ComponentResource {
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Gateway", name, {}, opts);

    // A changed configuration doesn't replace the container: HAProxy reloads it without an interruption.
    const { files: config, version } = haproxyConfig(args.routes, args.clientLimits);
    const files = new Files(
      `${name}-config`,
      {
        service: "gateway",
        host: args.host,
        imageId: args.imageId,
        files: { ...config, [START]: START_SCRIPT, [RELOAD]: RELOAD_SCRIPT },
        after: args.after,
      },
      { parent: this },
    );

    const portIsFree = args.host.run(
      `${name}-port`,
      pulumi
        .all([args.imageId, files.volumeName])
        .apply(([image, volume]) =>
          withArguments(PORT_CHECK_SCRIPT, [
            image,
            volume,
            `${args.host.bindAddress}:${args.httpPort}:${GATEWAY_PUBLISHED_PORT}`,
            args.httpPort.toString(),
          ]),
        ),
      { parent: this },
    );
    const container = this.proxy(name, args, [files.written, portIsFree], files);
    args.host.run(
      `${name}-reload`,
      pulumi
        .all([
          container.id,
          pulumi.all(args.networks.map((network) => network.name)),
          files.version,
        ])
        .apply(
          ([id, networks, filesVersion]) =>
            // The comment makes the command run again for other files.
            `${withArguments(APPLY_CONFIG_SCRIPT, [id, version, ...networks])}# ${filesVersion}\n`,
        ),
      { parent: this },
    );

    this.containerId = container.id;
    this.registerOutputs({ containerId: this.containerId });
  }

  private proxy(
    name: string,
    args: GatewayArgs,
    after: readonly pulumi.Resource[],
    files: Files,
  ): docker.Container {
    return new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: MEMORY_MIB, waitSeconds: START_SECONDS }),
        image: args.imageId,
        user: "haproxy",
        entrypoints: ["bash", `${FOLDER}/${START}`],
        volumes: [files.mountedAt(FOLDER)],
        tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
        ports: [
          { internal: GATEWAY_PUBLISHED_PORT, external: args.httpPort, ip: args.host.bindAddress },
        ],
        networksAdvanced: args.networks.map((network) => ({
          name: network.name,
          aliases: ["gateway"],
        })),
        healthcheck: httpHealthCheck(GATEWAY_ADMIN_PORT, "/healthz"),
        destroyGraceSeconds: 30,
        stopTimeout: 30,
        labels: labels({ service: "gateway", role: "gateway" }),
      },
      { parent: this, dependsOn: [...after], ...DELETE_BEFORE_CREATE },
    );
  }
}

const FOLDER = "/etc/store";
const START = "start.sh";
const RELOAD = "reload.sh";

const START_SCRIPT = `${readWithoutComments(__dirname, "start.sh")}\n`;

const PORT_CHECK_SCRIPT = readWithoutComments(__dirname, "portCheck.sh");

const APPLY_CONFIG_SCRIPT = readWithoutComments(__dirname, "applyConfig.sh");

/** Reloads the configuration of a running HAProxy without refusing a request. */
const RELOAD_SCRIPT = `${HTTP_GET_SCRIPT}\n${readWithoutComments(__dirname, "reload.sh")}\n`;

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DELETE_BEFORE_CREATE, hardened } from "../container/container";
import { Files } from "../container/files";
import { GATEWAY_ADMIN_PORT, GATEWAY_PUBLISHED_PORT, haproxyConfig, Route } from "./haproxy";
import { HTTP_GET_SCRIPT, httpHealthCheck } from "../container/health";
import { Host } from "../host/host";
import { labels } from "../container/labels";
import { readWithoutComments } from "../shell/shell";

export interface GatewayArgs {
  /** ID of the HAProxy image. */
  readonly imageId: pulumi.Input<string>;
  readonly routes: readonly Route[];
  /** The networks on which the services stand. On each it is found as "gateway". */
  readonly networks: readonly docker.Network[];
  /** Port of the host. */
  readonly httpPort: number;
  /** Requests that one client address may send in 10 s; 0 is no limit, also none of those of the routes. */
  readonly requestLimit: number;
  readonly host: Host;
  /** What must be there before the routes to it are. */
  readonly after: readonly pulumi.Resource[];
}

/** The one door to the store: HAProxy with the routes of the services' specs. */
export class Gateway extends pulumi.ComponentResource {
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Gateway", name, {}, opts);

    // The container doesn't depend on what is in the files: it takes new ones without a break.
    const { files: config, version } = haproxyConfig(args.routes, { requests: args.requestLimit });
    const files = new Files(
      `${name}-config`,
      {
        service: "gateway",
        host: args.host,
        imageId: args.imageId,
        files: { ...config, [RELOAD]: RELOAD_SCRIPT },
        after: args.after,
      },
      { parent: this },
    );

    const container = new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: 192, waitSeconds: 60 }),
        image: args.imageId,
        // As a batch process it takes no core from a service at each packet, but passes on what has come meanwhile: less work for
        // each request on a busy machine.
        entrypoints: [
          "chrt",
          "--batch",
          "0",
          "haproxy",
          "-W",
          "-db",
          "-f",
          `${FOLDER}/haproxy.cfg`,
        ],
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
      { parent: this, dependsOn: [files.written], ...DELETE_BEFORE_CREATE },
    );

    args.host.run(
      `${name}-reload`,
      pulumi.interpolate`docker exec ${container.id} bash ${FOLDER}/${RELOAD} ${version} # ${files.version}`,
      { parent: this },
    );

    this.containerId = container.id;
    this.registerOutputs({ containerId: this.containerId });
  }
}

const FOLDER = "/etc/store";
const RELOAD = "reload.sh";

/** Reloads the configuration of a running HAProxy without refusing a request. */
const RELOAD_SCRIPT = `${HTTP_GET_SCRIPT}\n${readWithoutComments(__dirname, "reload.sh")}\n`;

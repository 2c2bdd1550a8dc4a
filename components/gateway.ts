import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { DELETE_BEFORE_CREATE, hardened, HEALTH_INTERVAL } from "./container";
import { Files } from "./files";
import { GATEWAY_ADMIN_PORT, GATEWAY_PORT, haproxyConfig, Route } from "./haproxy";
import { labels } from "./labels";

export interface GatewayArgs {
  /** ID of the HAProxy image. */
  readonly imageId: pulumi.Input<string>;
  readonly routes: readonly Route[];
  /** The networks on which the services stand. On each it is found as "gateway". */
  readonly networks: readonly docker.Network[];
  /** Port of the host. */
  readonly httpPort: number;
  /** Address of the host's interface on which it listens. */
  readonly bindAddress: string;
  /** What must be there before the routes to it are. */
  readonly after: readonly pulumi.Resource[];
}

/** The one door to the store: HAProxy with the routes of the services' specs. */
export class Gateway extends pulumi.ComponentResource {
  readonly containerName: pulumi.Output<string>;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Gateway", name, {}, opts);

    // The container doesn't depend on what is in the file: it notices a new one by itself and takes it without a break.
    const config = new Files(
      `${name}-config`,
      {
        service: "gateway",
        imageId: args.imageId,
        files: { [CONFIG_FILE]: haproxyConfig(args.routes) },
      },
      { parent: this, dependsOn: [...args.after] },
    );

    const container = new docker.Container(
      name,
      {
        ...hardened({ memoryMiB: 192, waitSeconds: 60 }),
        image: args.imageId,
        entrypoints: ["sh", "-c", RUN],
        volumes: [config.mountedAt(CONFIG_FOLDER)],
        tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
        ports: [{ internal: GATEWAY_PORT, external: args.httpPort, ip: args.bindAddress }],
        networksAdvanced: args.networks.map((network) => ({
          name: network.name,
          aliases: ["gateway"],
        })),
        healthcheck: {
          tests: ["CMD", "bash", "-c", HEALTH_CHECK],
          interval: HEALTH_INTERVAL,
          timeout: "3s",
          startPeriod: "30s",
          retries: 3,
        },
        destroyGraceSeconds: 30,
        stopTimeout: 30,
        labels: labels({ service: "gateway", role: "gateway" }),
      },
      { parent: this, ...DELETE_BEFORE_CREATE },
    );

    this.containerName = container.name;
    this.registerOutputs({ containerName: this.containerName });
  }
}

const CONFIG_FOLDER = "/etc/store";
const CONFIG_FILE = "haproxy.cfg";

/**
 * Runs HAProxy and reloads it when the file changes. A reload hands the listening sockets on to new processes, and the old
 * ones finish their requests, so nothing is refused. A file that HAProxy doesn't accept is reported and not taken.
 */
const RUN = `
config=${CONFIG_FOLDER}/${CONFIG_FILE}
haproxy -W -db -f "$config" &
master=$!
trap 'kill -USR1 $master' USR1 TERM INT
taken=$(cksum <"$config")
while kill -0 $master 2>/dev/null; do
  sleep 1 &
  wait $!
  found=$(cksum <"$config")
  if [ "$found" != "$taken" ]; then
    taken=$found
    if haproxy -c -q -f "$config"; then kill -USR2 $master; else echo "the new configuration is refused, the old one stays" >&2; fi
  fi
done
wait $master
`;

/** An HTTP request by bash alone: the image has no curl. */
const HEALTH_CHECK = `exec 3<>/dev/tcp/127.0.0.1/${GATEWAY_ADMIN_PORT} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ "$status" = 200 ]`;

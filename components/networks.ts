import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { ServiceSpec } from "../services/spec";
import { isolated, NETWORK_OPTIONS } from "./container/container";
import type { Host } from "./host/host";
import { LABEL, NAMELESS } from "./container/labelNames";
import { labels } from "./container/labels";

/** DNS name of the gateway for services that may call it. */
export const GATEWAY_NAME = "gateway";

/** A network on which the gateway and the services that depend on a service reach it. */
export interface ServiceNetwork {
  readonly network: docker.Network;
  /** DNS name of the gateway on this network. Undefined if the service isn't meant to call it. */
  readonly gatewayName: string | undefined;
}

/**
 * The networks of gateway and services. One network per service, instead of one per pair of services, keeps their number below the number
 * of networks that Docker can create by default: docs/design-notes.md, Networks.
 */
export class Networks {
  /** Network of the gateway alone, by which its ports are published. */
  readonly gateway: docker.Network;
  private readonly services: ReadonlyMap<string, ServiceNetwork>;
  private readonly ways: ReadonlyMap<string, docker.Network>;
  private readonly isSwarm: boolean;

  /** @param specs Specs of the enabled services by name. */
  constructor(
    specs: ReadonlyMap<string, ServiceSpec>,
    host: Pick<Host, "swarm">,
    opts: pulumi.CustomResourceOptions,
  ) {
    const options = pulumi.mergeOptions(opts, NETWORK_OPTIONS);
    this.isSwarm = host.swarm !== undefined;
    this.gateway = new docker.Network(
      "edge",
      // Answers to clients need no masquerading, and without it nothing else leaves the host.
      { labels: labels(), options: { "com.docker.network.bridge.enable_ip_masquerade": "false" } },
      options,
    );
    this.services = new Map(
      [...specs].map(([service, spec]) => [service, serviceNetwork(service, spec, host, options)]),
    );
    this.ways = new Map(
      [...specs]
        .filter(([, { egress }]) => egress)
        .map(([service]) => [
          service,
          new docker.Network(
            `${service}-egress`,
            {
              // Attachable, although no container needs it: a removed driver alone doesn't replace the network when the last worker goes.
              ...(host.swarm && { driver: "overlay", attachable: true }),
              labels: labels({ service }),
            },
            options,
          ),
        ]),
    );
  }

  /** Returns the network of a service. @throws Error if the service isn't enabled. */
  of(service: string): docker.Network {
    const found = this.services.get(service);
    if (found === undefined) throw new Error(`${service} has no network: it isn't enabled`);
    return found.network;
  }

  /** Returns the network by which a service reaches the internet; undefined if its spec doesn't say `egress`. */
  egressOf(service: string): docker.Network | undefined {
    return this.ways.get(service);
  }

  /** IDs of the bridges from which there is a way out: of the networks that are neither {@link isolated} nor between machines. */
  get waysOut(): readonly pulumi.Output<string>[] {
    return [this.gateway, ...(this.isSwarm ? [] : this.ways.values())].map(({ id }) => id);
  }

  /** Networks of all services. */
  get all(): readonly ServiceNetwork[] {
    return [...this.services.values()];
  }
}

function serviceNetwork(
  service: string,
  spec: ServiceSpec,
  host: Pick<Host, "swarm">,
  options: pulumi.CustomResourceOptions,
): ServiceNetwork {
  const gatewayName = spec.network === "edge" ? GATEWAY_NAME : undefined;
  const network = new docker.Network(
    `${service}-network`,
    {
      ...isolated(host),
      labels: [...labels({ service }), { label: LABEL.gateway, value: gatewayName ?? NAMELESS }],
    },
    options,
  );
  return { network, gatewayName };
}

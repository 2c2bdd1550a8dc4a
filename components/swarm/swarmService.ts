import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "../container/labels";

/** Arguments of a Swarm service, which a container of the same service has, too. */
export interface SwarmServiceArgs {
  /** Name of the service, which is also its DNS name on its own network. */
  readonly service: string;
  /** Image in a registry, by digest: each machine pulls it. */
  readonly image: pulumi.Input<string>;
  readonly replicas: number;
  /** User and group IDs. */
  readonly user: string;
  /** Environment variables by name. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files of secrets. */
  readonly secrets: readonly docker.types.input.ServiceTaskSpecContainerSpecSecret[];
  readonly healthcheck: docker.types.input.ContainerHealthcheck;
  /** Seconds within which all instances must be healthy. */
  readonly withinSeconds: number;
  readonly memoryMiB: number;
  /** Seconds that an instance has for its end. */
  readonly stopSeconds: number;
  /** The service's own network, and those of what it uses. */
  readonly network: docker.Network;
  readonly otherNetworks: readonly docker.Network[];
}

/**
 * The instances of a service on the workers of a swarm. Like a container, it is never updated but replaced: the new instances must be healthy
 * before the old ones are stopped, and both answer to the same name meanwhile. Only the number of replicas changes in place. An update by
 * Swarm would stop the old instances even if the new ones exit at once.
 *
 * Swarm has no argument for `no-new-privileges` and for the number of processes: docs/several-hosts.md.
 */
export function swarmService(
  name: string,
  args: SwarmServiceArgs,
  opts: pulumi.CustomResourceOptions,
): docker.Service {
  const { service, healthcheck } = args;
  return new docker.Service(
    name,
    {
      labels: labels({ service, role: "service" }),
      mode: { replicated: { replicas: args.replicas } },
      // Each look-up gets the addresses of all healthy instances, as on one machine. A virtual address would go on sending to one that stops.
      endpointSpec: { mode: "dnsrr" },
      convergeConfig: { delay: "1s", timeout: duration(args.withinSeconds) },
      taskSpec: {
        containerSpec: {
          image: args.image,
          user: args.user,
          env: args.environment,
          readOnly: true,
          init: true,
          capDrops: ["ALL"],
          mounts: [{ type: "tmpfs", target: "/tmp", tmpfsOptions: { sizeBytes: 64 * MIB } }],
          secrets: [...args.secrets],
          healthcheck: {
            tests: healthcheck.tests,
            interval: asSwarmDuration(healthcheck.interval),
            timeout: asSwarmDuration(healthcheck.timeout),
            startPeriod: asSwarmDuration(healthcheck.startPeriod),
            retries: healthcheck.retries,
          },
          stopGracePeriod: duration(args.stopSeconds),
          labels: labels({ service, role: "service" }),
          // Without a value, the provider computes one in each update, which would be a change.
          sysctl: {},
        },
        networksAdvanceds: [
          { id: args.network.id, aliases: [service] },
          ...args.otherNetworks.map(({ id }) => ({ id })),
        ],
        placement: {
          constraints: ["node.labels.dev.store.worker==true"],
          prefs: ["spread=node.id"],
          // The platforms that Swarm reads in the registry and reports. Without them, a refresh would find a difference.
          platforms: [{ architecture: "amd64", os: "linux" }],
        },
        resources: { limits: { memoryBytes: args.memoryMiB * MIB } },
        // Explicit, because the provider reads zeros back.
        restartPolicy: { condition: "any", delay: "1s", maxAttempts: 0, window: "0s" },
        logDriver: { name: "local", options: { "max-size": "10m", "max-file": "3" } },
      },
    },
    { ...opts, deleteBeforeReplace: false, replaceOnChanges: ["taskSpec"] },
  );
}

const MIB = 1024 * 1024;

/** Returns a duration in the form in which the provider reads it back from a service; any other form would be a difference after each refresh. */
export function duration(seconds: number): string {
  const units = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const text = units.flatMap((count, i) => (count === 0 ? [] : [`${count}${"hms".charAt(i)}`]));
  return text.join("") || "0s";
}

/** Returns the form of {@link duration} for one that a container has as "2m0s". */
function asSwarmDuration(
  of: pulumi.Input<string | undefined> | undefined,
): pulumi.Output<string | undefined> {
  return pulumi.output(of).apply((text) => text?.replace(/m0s$/, "m").replace(/h0m$/, "h"));
}

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";

/** Arguments that all running containers have in common. */
export type Hardening = Required<
  Pick<
    docker.ContainerArgs,
    | "readOnly"
    | "capabilities"
    | "securityOpts"
    | "init"
    | "restart"
    | "memory"
    | "memorySwap"
    | "logDriver"
    | "logOpts"
    | "wait"
    | "waitTimeout"
    | "mustRun"
  >
>;

/**
 * Seconds within which a container must be healthy by default. On a first `up` a service also waits for its database to be initialised,
 * while all others start as well: on a busy host with two cores that took 70 s. Containers that exit fail the `up` earlier.
 */
export const START_SECONDS = 120;

/**
 * Returns arguments for a container that can write only to its volumes and temporary folders, has no privileges, has limited memory and
 * logs, is restarted when it ends, and counts as created when it is healthy.
 *
 * @param limits Memory limit in MiB, and seconds within which the container must be healthy.
 */
export function hardened(limits: {
  readonly memoryMiB: number;
  readonly waitSeconds: number;
}): Hardening {
  return {
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    // Reaps zombie processes of health checks and forwards signals, so that no service has to do the work of process 1.
    init: true,
    restart: "unless-stopped",
    memory: limits.memoryMiB,
    // Memory and swap together: the container gets no swap.
    memorySwap: limits.memoryMiB,
    logDriver: "local",
    logOpts: { "max-size": "10m", "max-file": "3" },
    wait: true,
    waitTimeout: limits.waitSeconds,
    mustRun: true,
  };
}

/**
 * Options for a container whose replacement must be healthy before the old one is deleted. The docker provider's default is to delete
 * first; it also misses a change of nothing but the health check.
 */
export const CREATE_BEFORE_DELETE: pulumi.CustomResourceOptions = {
  deleteBeforeReplace: false,
  replaceOnChanges: ["healthcheck"],
};

/** Options for a container with an exclusive resource: a port of the host or a data folder. */
export const DELETE_BEFORE_CREATE: pulumi.CustomResourceOptions = {
  deleteBeforeReplace: true,
  replaceOnChanges: ["healthcheck"],
};

/**
 * Arguments of a network without a way out: Docker routes nothing from it to other networks, and the host has no address on it, so that
 * its containers reach neither the internet nor the host's own ports.
 */
const ISOLATED: Required<Pick<docker.NetworkArgs, "internal" | "options">> = {
  internal: true,
  options: { "com.docker.network.bridge.inhibit_ipv4": "true" },
};

/** The same for a network between machines, on which the host never has an address. Attachable: containers join it, too, not only Swarm services. */
const ISOLATED_OVERLAY: Required<Pick<docker.NetworkArgs, "driver" | "attachable" | "internal">> = {
  driver: "overlay",
  attachable: true,
  internal: true,
};

/** Returns arguments of a network without a way out, on the host's machine or between its machines. */
export function isolated({ swarm }: Pick<Host, "swarm">): Partial<docker.NetworkArgs> {
  return swarm === undefined ? ISOLATED : ISOLATED_OVERLAY;
}

/**
 * Options for a network. Docker decides on IPv6 if its `default-network-opts` say so; after a refresh that would be a difference, which
 * would replace the network and all its containers.
 */
export const NETWORK_OPTIONS: pulumi.CustomResourceOptions = { ignoreChanges: ["ipv6"] };

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

/** The arguments that every running container of ours gets, whatever runs in it. */
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
 * A container that can change nothing but its own volumes and temporary folders, holds no privileges, can't take the whole
 * host's memory or disk, is restarted when it ends by itself and is only called created once it is healthy.
 */
export function hardened(limits: {
  readonly memoryMiB: number;
  readonly waitSeconds: number;
}): Hardening {
  return {
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    // Reaps what health checks leave and passes signals on, so that no service has to be a process 1.
    init: true,
    restart: "unless-stopped",
    memory: limits.memoryMiB,
    // The same as the memory: no swap beyond it.
    memorySwap: limits.memoryMiB,
    logDriver: "local",
    logOpts: { "max-size": "10m", "max-file": "3" },
    wait: true,
    waitTimeout: limits.waitSeconds,
    mustRun: true,
  };
}

/**
 * Options for a container whose replacement must be healthy before it goes. The docker provider would delete it first.
 * It doesn't see that nothing but a health check has changed, either.
 */
export const CREATE_BEFORE_DELETE: pulumi.CustomResourceOptions = {
  deleteBeforeReplace: false,
  replaceOnChanges: ["healthcheck"],
};

/** Options for a container that owns something which only one at a time can have: a port of the host, a data folder. */
export const DELETE_BEFORE_CREATE: pulumi.CustomResourceOptions = {
  deleteBeforeReplace: true,
  replaceOnChanges: ["healthcheck"],
};

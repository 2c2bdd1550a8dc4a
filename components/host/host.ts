import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { RegistryAccess } from "../registry/registry";
import type { Swarm } from "../swarm/swarm";

/** Providers that a host shares with the rest of the stack, because each provider is a process that takes time to start. */
export interface CommonProviders {
  readonly random: random.Provider;
  /** Runs commands on this machine, and on others by SSH. */
  readonly commands: command.Provider;
}

/** A machine with a Docker daemon, to which the store is deployed. */
export interface Host {
  /** Provider for the Docker resources on this host. */
  readonly provider: docker.Provider;
  /** Provider for commands on this machine. Doesn't depend on the host, so that images are pushed while the host boots. */
  readonly commands: command.Provider;
  /** Address of the network interface on which published ports listen. */
  readonly bindAddress: string;
  /** Name or address of the host for clients of the published ports. */
  readonly address: pulumi.Input<string>;
  /** SSH access for people and the docker command; undefined for this machine. */
  readonly access: pulumi.Output<HostAccess> | undefined;
  /** True if containers of this host can mount folders of this checkout. */
  readonly sharesFiles: boolean;
  /** Platform of the images, for example "linux/amd64"; undefined if the host builds the images. */
  readonly platform: string | undefined;
  /** Registry from which the host pulls images; undefined if the host builds the images. */
  readonly registry: RegistryAccess | undefined;
  /** Resource options for everything deployed on this host, so that it is deleted together with the host. */
  readonly childOptions: pulumi.ComponentResourceOptions;
  /** The machines that run the services, on a host with several machines. Defaults to none: this machine runs them. */
  readonly swarm?: Swarm;
  /** DNS records by which the store's names lead to this host: certificates are ordered after them. Defaults to none. */
  readonly nameRecords?: readonly pulumi.Resource[];

  /**
   * Runs a script for /bin/sh whose `docker` command talks to this host's daemon. The script runs again when it or `stdin` changes, so
   * it must be idempotent. Any exit code but 0 fails the `up`.
   *
   * @param stdin Standard input of the script, which is the place for secrets. Defaults to none.
   */
  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource;

  /**
   * Keeps containers on these networks away from the host's own ports and the cloud's metadata service. Undefined on a host that does so by
   * itself (Azure), and on this machine, whose firewall belongs to its user.
   *
   * @param networks IDs of the networks that have a way out.
   */
  closePortsTo?(
    networks: readonly pulumi.Input<string>[],
    opts: pulumi.CustomResourceOptions,
  ): void;

  /** Returns the volume for the data of a service's database. */
  dataVolume(service: string): DataVolume;

  /** Returns a script for {@link run} that creates the folders of these services' data volumes. Defaults to none: not needed. */
  dataFolders?(services: readonly string[]): pulumi.Input<string>;
}

/** Access to the host, which the `store` command reads from the stack's outputs. A secret. */
export interface HostAccess {
  readonly kind: "azure" | "ssh";
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly hostKey: string;
  /** Further machines with the same login key. Defaults to none. */
  readonly workers?: readonly WorkerAccess[];
}

export interface WorkerAccess {
  /** Name of the machine in the program. Defaults to its address. */
  readonly name?: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
}

export interface DataVolume {
  readonly args: Pick<docker.VolumeArgs, "driver" | "driverOpts">;
  /** True if the volume itself holds the data and must be protected against deletion. */
  readonly protect: boolean;
}

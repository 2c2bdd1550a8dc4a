import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { RegistryAccess } from "../registry/registry";

/** Providers that a host shares with the rest of the stack: each is a process, whose start takes longer than what it does. */
export interface CommonProviders {
  readonly random: random.Provider;
  /** Commands on this machine, and by SSH on others. */
  readonly commands: command.Provider;
}

/** A machine with a Docker daemon that we deploy to. */
export interface Host {
  /** For every resource that lives on this host. */
  readonly provider: docker.Provider;
  /** For commands on this machine. It doesn't wait for the host: images are pushed while that boots. */
  readonly commands: command.Provider;
  /** Address of the host's interface on which published ports listen. */
  readonly bindAddress: string;
  /** Name or address at which the published ports are reached from outside. */
  readonly address: pulumi.Input<string>;
  /** How people and the docker command get to it; undefined where it is the machine that one sits at. */
  readonly access: pulumi.Output<HostAccess> | undefined;
  /** Whether folders of this checkout can be mounted in its containers. */
  readonly sharesFiles: boolean;
  /** What its images must run on, for example "linux/amd64"; undefined where they are built on it. */
  readonly platform: string | undefined;
  /** From which it pulls its images; undefined where they are built on it. */
  readonly registry: RegistryAccess | undefined;
  /** Options for the component in which everything is that lives on this host, so that it goes when the host goes. */
  readonly childOptions: pulumi.ComponentResourceOptions;

  /**
   * Runs a script for /bin/sh whose `docker` talks to this host's daemon: once, and again whenever the script changes. It
   * must be harmless to run it again. An exit code other than 0 fails the `up`. It is also run again when `stdin`, which it
   * gets as its standard input, changes: that is where secrets belong.
   */
  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource;

  /** Where the data of a service's database is kept. */
  dataVolume(service: string): DataVolume;

  /** Script for {@link run} that makes what the volumes of these services' data need. @default they need nothing */
  dataFolders?(services: readonly string[]): string;
}

/** What the `store` command reads from the stack's outputs to reach the host. */
export interface HostAccess {
  readonly kind: "azure" | "ssh";
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly hostKey: string;
}

export interface DataVolume {
  readonly args: Pick<docker.VolumeArgs, "driver" | "driverOpts">;
  /** Whether the volume itself is what holds the data, and is protected therefore. */
  readonly protect: boolean;
}

import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

/** A machine with a Docker daemon that we deploy to. */
export interface Host {
  /** For every resource that lives on this host. */
  readonly provider: docker.Provider;
  /** Address of the host's interface on which published ports listen. */
  readonly bindAddress: string;
  /** Name or address at which the published ports are reached from outside. */
  readonly address: string;
  /** Whether folders of this checkout can be mounted in its containers. */
  readonly sharesFiles: boolean;

  /**
   * Runs a script for /bin/sh whose `docker` talks to this host's daemon: once, and again whenever the script changes. It
   * must be harmless to run it again. An exit code other than 0 fails the `up`.
   */
  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.CustomResource;
}

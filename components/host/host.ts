import * as docker from "@pulumi/docker";

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
}

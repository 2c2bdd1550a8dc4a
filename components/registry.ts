import * as pulumi from "@pulumi/pulumi";

/** The registry to which images are pushed and from which hosts pull them. */
export interface RegistryAccess {
  /** Host name, with a port where it isn't 443, for example "registry.example.com:5000". */
  readonly address: pulumi.Input<string>;
  /** Put before each image's name, for example "team/store"; empty: nothing is. */
  readonly namespace: string;
  readonly username: pulumi.Input<string>;
  /** A secret. */
  readonly password: pulumi.Input<string>;
}

/** How images get into a registry. */
export interface Publishing {
  readonly registry: RegistryAccess;
  /** Address of the Docker daemon that builds and pushes. */
  readonly builder: string;
}

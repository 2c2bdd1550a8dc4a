import type * as pulumi from "@pulumi/pulumi";
import type { ServiceSpec } from "../../services/spec";
import type { ImageSource } from "./image";

/** An image that a host can run. */
export interface SuppliedImage {
  /** Name for people, with the content tag. */
  readonly ref: pulumi.Input<string>;
  /** ID of the image, for a container. */
  readonly imageId: pulumi.Output<string>;
  /** Name with the digest in a registry, for machines that pull it. Undefined for an image that isn't published. */
  readonly byDigest?: pulumi.Output<string>;
}

/** Source of a stack's images. */
export interface ImageSupply {
  /** Returns the image of a service. */
  of(service: string, spec: ServiceSpec): SuppliedImage;
  /** Returns the ID of a third-party image. */
  thirdParty(name: string, ref: string): pulumi.Output<string>;
}

export interface ImageSupplyArgs {
  /** Node.js image that the services' Dockerfiles get as the build argument NODE_IMAGE. */
  readonly nodeImage: string;
  /** Names of the services in dev mode, whose sources are mounted. */
  readonly devModeServices: readonly string[];
  /** Repository and commit for the images' labels. */
  readonly source: pulumi.Input<ImageSource>;
  /** Name of buildx' builder that builds on the host. Defaults to "default", the one of the daemon that the environment names. */
  readonly buildxBuilder?: string;
  readonly opts: pulumi.CustomResourceOptions;
}

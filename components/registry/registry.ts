import * as pulumi from "@pulumi/pulumi";
import type { DockerEndpoint } from "@store/docker/endpoint";
import type { UserLogin } from "@store/docker/registryLogin";

/** A registry to which images are pushed and from which hosts pull them. */
export interface RegistryAccess {
  /** Host name, with the port unless it is 443, for example "registry.example.com:5000". */
  readonly address: pulumi.Input<string>;
  /** Prefix of each image's name, for example "team/store". Empty for no prefix. */
  readonly namespace: string;
  /** Changes when the registry is recreated (and therefore empty), which triggers a new push. Defaults to never changing. */
  readonly generation?: pulumi.Input<string>;
  /** Credentials for the machine that builds and pushes. "user": the user's own `docker login` there, if there is one. */
  readonly push: Login | AzureLogin | "user";
  /** Credentials for the hosts that pull. Undefined for a registry without a login. */
  readonly pull: Login | UserLogin | undefined;
}

export interface Login {
  readonly username: pulumi.Input<string>;
  /** A secret. */
  readonly password: pulumi.Input<string>;
}

/** Push credentials by the user's own Azure login, which yields a token that is valid for three hours and never stored. */
export interface AzureLogin {
  /** Resource ID of the registry. */
  readonly azureRegistry: pulumi.Input<string>;
}

/** Tiers of an Azure registry, by price and storage. All support tokens for hosts. @see https://aka.ms/acr/tiers */
export const AZURE_REGISTRY_TIERS = ["Basic", "Standard", "Premium"] as const;
export type AzureRegistryTier = (typeof AZURE_REGISTRY_TIERS)[number];

/** Registry for the stack's images, and the daemon that pushes them. */
export interface Publishing {
  readonly registry: RegistryAccess;
  /** Docker daemon that builds and pushes. */
  readonly builder: Pick<DockerEndpoint, "host" | "certPath">;
}

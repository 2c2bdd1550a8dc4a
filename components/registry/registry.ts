import * as pulumi from "@pulumi/pulumi";

/** The registry to which images are pushed and from which hosts pull them. */
export interface RegistryAccess {
  /** Host name, with a port where it isn't 443, for example "registry.example.com:5000". */
  readonly address: pulumi.Input<string>;
  /** Put before each image's name, for example "team/store"; empty: nothing is. */
  readonly namespace: string;
  /** Another value where it was made anew and is empty. @default never */
  readonly made?: pulumi.Input<string>;
  /** With which the machine that builds looks and pushes. */
  readonly push: Login | AzureLogin;
  /** With which hosts pull. */
  readonly pull: Login;
}

export interface Login {
  readonly username: pulumi.Input<string>;
  /** A secret. */
  readonly password: pulumi.Input<string>;
}

/** Whoever runs `up` pushes by their own login to Azure, for which they get a token of three hours: nothing that is kept. */
export interface AzureLogin {
  /** Azure's id of the registry. */
  readonly azureRegistry: pulumi.Input<string>;
}

/** What one in Azure costs and how much it holds; hosts' tokens are in all of them. @see https://aka.ms/acr/tiers */
export const AZURE_REGISTRY_TIERS = ["Basic", "Standard", "Premium"] as const;
export type AzureRegistryTier = (typeof AZURE_REGISTRY_TIERS)[number];

/** How images get into a registry. */
export interface Publishing {
  readonly registry: RegistryAccess;
  /** Address of the Docker daemon that builds and pushes. */
  readonly builder: string;
}

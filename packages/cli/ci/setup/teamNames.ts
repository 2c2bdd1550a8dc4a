import { createHash } from "node:crypto";

/** Names of what a team shares. */
export interface TeamNames {
  /** OWNER/NAME on GitHub. */
  readonly repository: string;
  readonly location: string;
  readonly resourceGroup: string;
  readonly storageAccount: string;
  readonly keyVault: string;
}

/** Returns the names for a repository. Names of storage accounts and key vaults are unique in all of Azure. */
export function teamNames(repository: string, location: string): TeamNames {
  const hash = createHash("sha256").update(repository.toLowerCase()).digest("hex");
  return {
    repository,
    location,
    resourceGroup: "store-state",
    storageAccount: `store${hash.slice(0, 16)}`,
    keyVault: `store-${hash.slice(0, 16)}`,
  };
}

/** Blob container of the state. */
export const CONTAINER = "state";

/** Key that encrypts the state's secrets. */
export const KEY = "state";

/** Address of the state, for PULUMI_BACKEND_URL. */
export function stateUrl({ storageAccount }: TeamNames): string {
  return `azblob://${CONTAINER}?storage_account=${storageAccount}`;
}

/** Address of the key, as Pulumi's secrets provider. */
export function secretsUrl({ keyVault }: TeamNames): string {
  return `azurekeyvault://${keyVault}.vault.azure.net/keys/${KEY}`;
}

export const SUBSCRIPTION_SCOPE = "/subscriptions/$SUBSCRIPTION";

export function containerScope({ resourceGroup, storageAccount }: TeamNames): string {
  return (
    `${SUBSCRIPTION_SCOPE}/resourceGroups/${resourceGroup}/providers/Microsoft.Storage/storageAccounts/` +
    `${storageAccount}/blobServices/default/containers/${CONTAINER}`
  );
}

export function vaultScope({ resourceGroup, keyVault }: TeamNames): string {
  return `${SUBSCRIPTION_SCOPE}/resourceGroups/${resourceGroup}/providers/Microsoft.KeyVault/vaults/${keyVault}`;
}

export function keyScope(names: TeamNames): string {
  return `${vaultScope(names)}/keys/${KEY}`;
}

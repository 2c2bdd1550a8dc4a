import { ArmError, badRequest, conflict } from "../armError";
import {
  invalid,
  computedOnce,
  alwaysRemovable,
  Put,
  referenced,
  ResourceType,
  sameId,
} from "../resourceType";
import { at, listAt, Properties, textAt } from "../values";

export const REGISTRY = "azure-native:containerregistry:Registry";
export const SCOPE_MAP = "azure-native:containerregistry:ScopeMap";
export const TOKEN = "azure-native:containerregistry:Token";

const ARM_TYPE = "Microsoft.ContainerRegistry/registries";

export const registry: ResourceType = {
  token: REGISTRY,
  armType: ARM_TYPE,
  path: ["resourceGroupName", "registryName"],
  located: true,
  immutable: ["location", "zoneRedundancy", "encryption"],
  nameRule: /^[A-Za-z0-9]{5,50}$/,
  seconds: { create: 8, update: 4, remove: 6 },
  validate: (put) => {
    validateUniqueName(put);
    validateTier(put.properties);
  },
  // Images, tokens and scope maps are deleted with the registry.
  validateRemoval: alwaysRemovable,
  compute: (put) => ({
    ...common(put, ARM_TYPE),
    // In Azure, this is NAME.azurecr.io.
    loginServer: put.cloud.registryAddress,
  }),
  defaults: ({ properties }) => ({
    adminUserEnabled: false,
    anonymousPullEnabled: false,
    dataEndpointEnabled: false,
    dataEndpointHostNames: [],
    encryption: { status: "disabled" },
    networkRuleBypassOptions: "AzureServices",
    privateEndpointConnections: [],
    publicNetworkAccess: "Enabled",
    zoneRedundancy: "Disabled",
    sku: { tier: textAt(properties, "sku.name") },
    policies: {
      quarantinePolicy: { status: "disabled" },
      trustPolicy: { type: "Notary", status: "disabled" },
      retentionPolicy: { days: 7, status: "disabled" },
      exportPolicy: { status: "enabled" },
      azureADAuthenticationAsArmPolicy: { status: "enabled" },
    },
  }),
};

/** Rules that a registry's scope maps and tokens share. */
const PART_OF_REGISTRY = {
  located: false,
  immutable: [],
  nameRule: /^[\w-]{5,50}$/,
  seconds: { create: 2, update: 2, remove: 2 },
} as const;

export const scopeMap: ResourceType = {
  token: SCOPE_MAP,
  armType: `${ARM_TYPE}/scopeMaps`,
  path: ["resourceGroupName", "registryName", "scopeMapName"],
  ...PART_OF_REGISTRY,
  validate: (put) => {
    validateParent(put);
    const actions = listAt(put.properties, "actions");
    if (actions.length === 0) throw invalid("actions", "at least one is required.");
    if (actions.length > 500) throw invalid("actions", "at most 500 are allowed.");
    const wrong = actions.find((action) => typeof action !== "string" || !ACTION.test(action));
    if (wrong === undefined) return;
    throw badRequest(
      "ScopeMapActionInvalid",
      `The action ${JSON.stringify(wrong)} is invalid. The format is repositories/NAME/ACTION, where ACTION is content/read, ` +
        `content/write, content/delete, metadata/read or metadata/write.`,
    );
  },
  validateRemoval: (one, cloud) => {
    const user = cloud
      .all(TOKEN)
      .find(({ properties }) => sameId(textAt(properties, "scopeMapId"), one.id));
    if (user === undefined) return;
    throw conflict("ScopeMapInUse", `The scope map ${one.name} is used by the token ${user.name}.`);
  },
  compute: (put) => common(put, `${ARM_TYPE}/scopeMaps`),
};

export const token: ResourceType = {
  token: TOKEN,
  armType: `${ARM_TYPE}/tokens`,
  path: ["resourceGroupName", "registryName", "tokenName"],
  ...PART_OF_REGISTRY,
  validate: (put) => {
    validateParent(put);
    const id = textAt(put.properties, "scopeMapId");
    if (id === "") throw invalid("scopeMapId", "is required.");
    referenced(put, "scopeMapId", id, SCOPE_MAP);
    const inside = put.id.slice(0, put.id.lastIndexOf("/tokens/")).toLowerCase();
    if (!id.toLowerCase().startsWith(`${inside}/`))
      throw invalid("scopeMapId", "is a scope map of another registry.");
    const known = listAt(put.before?.properties, "credentials.passwords").length;
    if (listAt(put.properties, "credentials.passwords").length > known) {
      throw badRequest(
        "TokenPasswordsCannotBeAdded",
        "Passwords of a token can't be set; use generateCredentials.",
      );
    }
  },
  validateRemoval: alwaysRemovable,
  compute: (put) => common(put, `${ARM_TYPE}/tokens`),
};

/** Action on repositories. The name may end with a wildcard, or be one. */
const ACTION =
  /^repositories\/(\*|[a-z0-9]+([._/-][a-z0-9]+)*(\/\*)?)\/(content\/(read|write|delete)|metadata\/(read|write))$/;

function common(put: Put, type: string): Properties {
  return {
    name: put.name,
    type,
    provisioningState: "Succeeded",
    creationDate: computedOnce(put, "creationDate", () => new Date().toISOString()),
  };
}

/** Registry names are unique in all of Azure, not only in the resource group. */
function validateUniqueName({ cloud, id, name }: Put): void {
  const other = cloud
    .all(REGISTRY)
    .find((one) => one.name.toLowerCase() === name.toLowerCase() && !sameId(one.id, id));
  if (other === undefined) return;
  throw conflict(
    "AlreadyInUse",
    `The registry DNS name ${name}.azurecr.io is already in use. You can check if the name is already claimed using following API: ` +
      `https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability`,
  );
}

function validateTier(properties: Properties): void {
  const tier = textAt(properties, "sku.name");
  if (tier === "Classic") throw badRequest("ClassicSkuRetired", "The SKU Classic is retired.");
  const premium: readonly [path: string, isSet: boolean][] = [
    ["zoneRedundancy", textAt(properties, "zoneRedundancy") === "Enabled"],
    ["publicNetworkAccess", textAt(properties, "publicNetworkAccess") === "Disabled"],
    ["dataEndpointEnabled", at(properties, "dataEndpointEnabled") === true],
    ["encryption", textAt(properties, "encryption.status") === "enabled"],
  ];
  const wrong = premium.find(([, isSet]) => isSet);
  if (wrong !== undefined && tier !== "Premium") {
    throw badRequest(
      "SkuNotSupported",
      `The SKU ${tier} doesn't support ${wrong[0]}. The feature is available in: Premium.`,
    );
  }
  if (at(properties, "anonymousPullEnabled") === true && tier === "Basic") {
    throw badRequest(
      "SkuNotSupported",
      "The SKU Basic doesn't support anonymousPullEnabled. The feature is available in: Standard, Premium.",
    );
  }
}

function validateParent({ cloud, id, properties }: Put): void {
  const parent = id.split("/").slice(0, -2).join("/");
  if (cloud.get(parent)?.token === REGISTRY) return;
  throw new ArmError(
    404,
    "ParentResourceNotFound",
    `Failed to perform 'write' on resource(s) of type '${ARM_TYPE}', because the parent resource ` +
      `'${textAt(properties, "registryName")}' could not be found.`,
  );
}

import { badRequest } from "../armError";
import { alwaysRemovable, ResourceType } from "../resourceType";
import { textAt } from "../values";

export const GROUP = "azure-native:resources:ResourceGroup";

export const resourceGroup: ResourceType = {
  token: GROUP,
  armType: "Microsoft.Resources/resourceGroups",
  path: ["resourceGroupName"],
  located: true,
  immutable: ["location"],
  nameRule: /^[\w().-]{0,89}[\w()-]$/,
  seconds: { create: 1, update: 1, remove: 10 },
  validate: ({ properties, name, before }) => {
    const location = textAt(properties, "location");
    const there = before === undefined ? location : textAt(before.properties, "location");
    if (location === there) return;
    throw badRequest(
      "InvalidResourceGroupLocation",
      `The Resource group '${name}' already exists in location '${there}'. It can't be moved to '${location}'.`,
    );
  },
  // The resources in the group are deleted with it.
  validateRemoval: alwaysRemovable,
  compute: ({ name }) => ({
    name,
    properties: { provisioningState: "Succeeded" },
    type: "Microsoft.Resources/resourceGroups",
  }),
};

import { Provider } from "@pulumi/azure-native/provider";
import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { existing } from "./existing";

/** Creates the stack's resource group, or reads an existing one, and returns what the resources in it share. */
export function resourceGroup(
  name: string,
  args: AzureHostArgs,
  parent: pulumi.Resource,
): AzureScope {
  const { location, subscriptionId, owner } = args;
  const tags = {
    ...args.tags,
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    owner,
  };
  const provider = new Provider(`${name}-azure`, { location, subscriptionId }, { parent });
  const inGroup = { parent, provider };
  if (args.resourceGroup !== undefined) {
    const call = resources.getResourceGroup({ resourceGroupName: args.resourceGroup }, inGroup);
    const resourceGroupName = pulumi.output(existing(call)).name;
    return { name, common: { resourceGroupName, location, tags }, opts: inGroup };
  }
  const group = new resources.ResourceGroup(name, { location, tags }, inGroup);
  return {
    name,
    common: { resourceGroupName: group.name, location, tags },
    // Azure deletes them together with the group, so the engine needn't delete them one by one.
    opts: { ...inGroup, deletedWith: group },
  };
}

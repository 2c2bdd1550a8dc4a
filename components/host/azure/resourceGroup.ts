import { Provider } from "@pulumi/azure-native/provider";
import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";

/** Creates the stack's resource group, or reads an existing one, and returns what the resources in it share. */
export function resourceGroup(
  name: string,
  args: AzureHostArgs,
  parent: pulumi.Resource,
): AzureScope {
  const { location, subscriptionId, owner, resourceGroup: existing } = args;
  const tags = {
    ...args.tags,
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    owner,
  };
  const provider = new Provider(`${name}-azure`, { location, subscriptionId }, { parent });
  const inGroup = { parent, provider };
  if (existing !== undefined) {
    // The call fails in the preview if there is no such group.
    const { name: resourceGroupName } = resources.getResourceGroupOutput(
      { resourceGroupName: existing },
      inGroup,
    );
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

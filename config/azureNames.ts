/** Tags that the program sets by itself. Azure ignores the case of a tag's name. */
const OWN_TAGS = ["project", "stack", "owner"];

/** Number of tags that a stack may add: Azure permits 50 on a resource. */
export const MAX_TAGS = 50 - OWN_TAGS.length;

/**
 * Returns the problem with the name of a tag; undefined if Azure accepts it.
 *
 * @see https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
 */
export function tagProblem(name: string): string | undefined {
  if (OWN_TAGS.includes(name.toLowerCase())) return "is set by the program itself.";
  if (name === "" || name.length > 512) return "a tag's name has 1 to 512 characters.";
  if (/[<>%&\\?/]/.test(name)) return "a tag's name can't contain any of < > % & \\ ? /.";
  if (/^(microsoft|azure|windows)/i.test(name))
    return "a tag's name can't begin with microsoft, azure or windows: Azure reserves these.";
  return undefined;
}

/** Returns what the name of a resource group should be instead; undefined if Azure accepts it, or for an empty text. */
export function resourceGroupProblem(name: string): string | undefined {
  return name === "" || /^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$/u.test(name)
    ? undefined
    : "should be the name of a resource group: at most 90 letters, digits and characters of _-().; the last one isn't a dot.";
}

const SUBNET_ID =
  /^\/subscriptions\/([0-9a-f-]{36})\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i;

/** Returns what the ID of a subnet should be instead; undefined for a valid ID or an empty text. */
export function subnetIdProblem(id: string): string | undefined {
  return id === "" || SUBNET_ID.test(id)
    ? undefined
    : "should be the ID of a subnet, /subscriptions/…/subnets/NAME. This prints it: az network vnet subnet show --resource-group GROUP --vnet-name NETWORK --name NAME --query id --output tsv";
}

/** Returns the subscription in the ID of a subnet. */
export function subscriptionOf(subnetId: string): string {
  return SUBNET_ID.exec(subnetId)?.[1] ?? "";
}

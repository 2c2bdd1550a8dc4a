/** Returns the resource group and the name of the virtual network that contains a subnet. */
export function networkOf(subnetId: string): {
  readonly resourceGroupName: string;
  readonly virtualNetworkName: string;
} {
  const [, resourceGroupName = "", virtualNetworkName = ""] =
    /\/resourceGroups\/([^/]+)\/.*\/virtualNetworks\/([^/]+)\//i.exec(subnetId) ?? [];
  return { resourceGroupName, virtualNetworkName };
}

/** Virtual network as Azure reports it. */
interface FoundNetwork {
  readonly name: string;
  readonly location?: string;
  readonly subnets?: readonly FoundSubnet[];
}

interface FoundSubnet {
  readonly id?: string;
  readonly addressPrefix?: string;
  readonly addressPrefixes?: readonly string[];
}

/** Returns the IPv4 ranges of a subnet of the virtual network. */
export function subnetRanges({ subnets = [] }: FoundNetwork, subnetId: string): string[] {
  const found = subnets.find(({ id = "" }) => id.toLowerCase() === subnetId.toLowerCase());
  const { addressPrefix, addressPrefixes = addressPrefix === undefined ? [] : [addressPrefix] } =
    found ?? {};
  return addressPrefixes.filter((range) => !range.includes(":"));
}

/** Returns why a VM in a region can't use a subnet of the virtual network; undefined if it can. */
export function subnetProblem(
  { name, location: region = "", subnets = [] }: FoundNetwork,
  subnetId: string,
  location: string,
): string | undefined {
  if (region.toLowerCase().replaceAll(" ", "") !== location)
    return `the network ${name} is in ${region}, but store:location is ${location}. A VM must be in the region of its network.`;
  // The network may be another one with the same name, in the subscription of the VM.
  const ids = subnets.map(({ id = "" }) => id);
  if (ids.some((id) => id.toLowerCase() === subnetId.toLowerCase())) return undefined;
  return `there is no such subnet in the subscription of the VM. The network ${name} has: ${ids.join(", ") || "none"}.`;
}

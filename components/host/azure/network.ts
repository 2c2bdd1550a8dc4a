import * as network from "@pulumi/azure-native/network";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { existing } from "./existing";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { securityRules, workerRules } from "./securityRules";
import { networkOf, subnetProblem, subnetRanges } from "./subnetId";
import { hasAcceleratedNetworking } from "./vmSizes";

/** Creates the public IP address. It is static, so that it survives a replacement of the VM. */
export function publicAddress(
  scope: AzureScope,
  { dnsLabel, providers }: AzureHostArgs,
): network.PublicIPAddress {
  const { name, opts } = scope;
  const random = { parent: opts.parent, provider: providers.random };
  return staticAddress(scope, {
    domainNameLabel: dnsLabel ?? randomDnsLabel(`${name}-dns`, random),
  });
}

/** Creates the public IP address of a worker, which is its way out: SSH is the only way in. */
export function workerAddress(scope: AzureScope): network.PublicIPAddress {
  return staticAddress(scope);
}

function staticAddress(
  { name, common, opts }: AzureScope,
  dnsSettings?: network.PublicIPAddressArgs["dnsSettings"],
): network.PublicIPAddress {
  return new network.PublicIPAddress(
    name,
    {
      ...common,
      // Azure retired Basic addresses in 2025.
      sku: { name: "Standard", tier: "Regional" },
      publicIPAddressVersion: "IPv4",
      publicIPAllocationMethod: "Static",
      ...(dnsSettings && { dnsSettings }),
    },
    opts,
  );
}

function randomDnsLabel(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  // Not RandomBytes, whose outputs are secrets: the store's address would be one, too.
  const { result } = new random.RandomString(
    name,
    { length: 8, upper: false, special: false },
    opts,
  );
  return pulumi.interpolate`${pulumi.getProject()}-${pulumi.getStack()}-${result}`.apply((label) =>
    label.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-"),
  );
}

/** The subnet of the VMs, with the firewall of the host. */
export interface HostNetwork {
  readonly subnetId: pulumi.Output<string>;
  /** Address ranges of the subnet in CIDR notation. */
  readonly ranges: pulumi.Input<string[]>;
  /** Network security group of the host's interface. Undefined if it is the subnet's. */
  readonly securityGroup: network.NetworkSecurityGroup | undefined;
}

/** Creates a virtual network of the stack's own, or finds an existing subnet, and the host's network security group. */
export function hostNetwork(scope: AzureScope, args: AzureHostArgs): HostNetwork {
  const { name, common, opts } = scope;
  const { subnetId, addressRange } = args;
  const found = subnetId === undefined ? undefined : existingSubnet(scope, subnetId);
  const ranges = found?.ranges ?? [addressRange];
  const securityGroup = new network.NetworkSecurityGroup(
    name,
    { ...common, securityRules: securityRules(args, ranges) },
    opts,
  );
  return found === undefined
    ? { subnetId: ownSubnet(scope, args, securityGroup).id, ranges, securityGroup: undefined }
    : // An existing subnet isn't changed. If it has a group of its own, both groups must allow a connection.
      { subnetId: found.id, ranges, securityGroup };
}

/**
 * Creates the network security group of the workers' interfaces, which lets nobody but administrators in from the internet: the subnet's
 * own group, which opens the host's ports, must allow a connection as well.
 */
export function workerSecurityGroup(
  { common, opts }: AzureScope,
  args: AzureHostArgs,
  { ranges }: HostNetwork,
): network.NetworkSecurityGroup {
  return new network.NetworkSecurityGroup(
    "workers",
    { ...common, securityRules: workerRules(args, ranges) },
    opts,
  );
}

/** Creates the network interface of a VM. */
export function networkInterface(
  { name, common, opts }: AzureScope,
  { vmSize }: AzureHostArgs,
  { subnetId, securityGroup }: HostNetwork,
  address: network.PublicIPAddress,
): network.NetworkInterface {
  return new network.NetworkInterface(
    name,
    {
      ...common,
      enableAcceleratedNetworking: hasAcceleratedNetworking(vmSize),
      ipConfigurations: [
        {
          name: "primary",
          subnet: { id: subnetId },
          privateIPAllocationMethod: "Dynamic",
          publicIPAddress: { id: address.id },
        },
      ],
      ...(securityGroup && { networkSecurityGroup: { id: securityGroup.id } }),
    },
    // Azure changes it only while the VM is deallocated. A `down` and an `up` apply it to an existing stack.
    { ...opts, ignoreChanges: ["enableAcceleratedNetworking"] },
  );
}

function ownSubnet(
  { name, common, opts }: AzureScope,
  { addressRange }: AzureHostArgs,
  networkSecurityGroup: network.NetworkSecurityGroup,
): network.Subnet {
  const virtualNetwork = new network.VirtualNetwork(
    name,
    { ...common, addressSpace: { addressPrefixes: [addressRange] } },
    // Azure reports the subnet here as well, which is a resource of its own.
    { ...opts, ignoreChanges: ["subnets"] },
  );
  return new network.Subnet(
    name,
    {
      resourceGroupName: common.resourceGroupName,
      virtualNetworkName: virtualNetwork.name,
      // The whole range, because the network has no other subnet.
      addressPrefix: addressRange,
      networkSecurityGroup: { id: networkSecurityGroup.id },
      // A VM's public address is its only way out.
      defaultOutboundAccess: false,
    },
    opts,
  );
}

/** Returns the ID and the ranges of an existing subnet after checking its network: Azure refuses a network interface in another region. */
function existingSubnet(
  { common: { location }, opts: { parent, provider } }: AzureScope,
  subnetId: string,
): { readonly id: pulumi.Output<string>; readonly ranges: pulumi.Output<string[]> } {
  const found = network.getVirtualNetwork(networkOf(subnetId), { parent, provider });
  const checked = pulumi.output(existing(found)).apply((virtualNetwork) => {
    const problem = subnetProblem(virtualNetwork, subnetId, location);
    if (problem !== undefined) throw new pulumi.RunError(`store:subnetId: ${problem}`);
    return virtualNetwork;
  });
  return {
    id: checked.apply(() => subnetId),
    ranges: checked.apply((virtualNetwork) => subnetRanges(virtualNetwork, subnetId)),
  };
}

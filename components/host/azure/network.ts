import * as network from "@pulumi/azure-native/network";
import type * as types from "@pulumi/azure-native/types";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { existing } from "./existing";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { networkOf, subnetProblem } from "./subnetId";
import { hasAcceleratedNetworking } from "./vmSizes";

/** Creates the public IP address. It is static, so that it survives a replacement of the VM. */
export function publicAddress(
  { name, common, opts }: AzureScope,
  { dnsLabel, providers }: AzureHostArgs,
): network.PublicIPAddress {
  return new network.PublicIPAddress(
    name,
    {
      ...common,
      // Azure retired Basic addresses in 2025.
      sku: { name: "Standard", tier: "Regional" },
      publicIPAddressVersion: "IPv4",
      publicIPAllocationMethod: "Static",
      dnsSettings: {
        domainNameLabel:
          dnsLabel ??
          randomDnsLabel(`${name}-dns`, { parent: opts.parent, provider: providers.random }),
      },
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

/** Creates the VM's network interface in a virtual network of its own, or in an existing subnet, with a network security group. */
export function networkInterface(
  scope: AzureScope,
  args: AzureHostArgs,
  address: network.PublicIPAddress,
): network.NetworkInterface {
  const { name, common, opts } = scope;
  const { vmSize, subnetId } = args;
  const securityGroup = new network.NetworkSecurityGroup(
    name,
    { ...common, securityRules: securityRules(args) },
    opts,
  );
  const subnet =
    subnetId === undefined
      ? ownSubnet(scope, args, securityGroup).id
      : existingSubnet(scope, subnetId);
  return new network.NetworkInterface(
    name,
    {
      ...common,
      enableAcceleratedNetworking: hasAcceleratedNetworking(vmSize),
      ipConfigurations: [
        {
          name: "primary",
          subnet: { id: subnet },
          privateIPAllocationMethod: "Dynamic",
          publicIPAddress: { id: address.id },
        },
      ],
      // An existing subnet isn't changed. If it has a group of its own, both groups must allow a connection.
      ...(subnetId !== undefined && { networkSecurityGroup: { id: securityGroup.id } }),
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
      // The VM's public address is its only way out.
      defaultOutboundAccess: false,
    },
    opts,
  );
}

/** Returns the ID of an existing subnet after checking its network: Azure refuses a network interface in another region. */
function existingSubnet(
  { common: { location }, opts: { parent, provider } }: AzureScope,
  subnetId: string,
): pulumi.Output<string> {
  const found = network.getVirtualNetwork(networkOf(subnetId), { parent, provider });
  return pulumi.output(existing(found)).apply((virtualNetwork) => {
    const problem = subnetProblem(virtualNetwork, subnetId, location);
    if (problem !== undefined) throw new pulumi.RunError(`store:subnetId: ${problem}`);
    return subnetId;
  });
}

/** Rules for incoming connections. Azure's default rules deny all others. */
function securityRules({
  adminCidrs,
  https = false,
}: AzureHostArgs): types.input.network.SecurityRuleArgs[] {
  const allow = (
    name: string,
    priority: number,
    port: string,
    from: Pick<
      types.input.network.SecurityRuleArgs,
      "sourceAddressPrefix" | "sourceAddressPrefixes"
    >,
  ): types.input.network.SecurityRuleArgs => ({
    name,
    priority,
    direction: "Inbound",
    access: "Allow",
    protocol: "Tcp",
    ...from,
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: port,
  });
  // The service tag that Azure's portal, policies and scanners recognize. Azure accepts it only as a single prefix.
  const everybody = { sourceAddressPrefix: "Internet" };
  return [
    allow("http", 100, "80", everybody),
    ...(https ? [allow("https", 110, "443", everybody)] : []),
    allow("ssh", 120, "22", { sourceAddressPrefixes: [...adminCidrs] }),
  ];
}

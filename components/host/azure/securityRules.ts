import type * as types from "@pulumi/azure-native/types";
import type * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs } from "./azureHostArgs";

type Rule = types.input.network.SecurityRuleArgs;

/**
 * Returns the host's rules for incoming connections. Azure's default rules allow those from the virtual network, and deny all others.
 *
 * @param ranges Address ranges of the subnet.
 */
export function securityRules(args: AzureHostArgs, ranges: pulumi.Input<string[]>): Rule[] {
  // The service tag that Azure's portal, policies and scanners recognize. Azure accepts it only as a single prefix.
  const everybody = { sourceAddressPrefix: "Internet" };
  return [
    allow("http", 100, "80", everybody),
    ...(args.https ? [allow("https", 110, "443", everybody)] : []),
    ssh(args),
    ...((args.hosts ?? 1) > 1 ? swarm(ranges) : []),
  ];
}

/** Returns the rules of the workers, which serve nobody outside of the subnet. */
export function workerRules(args: AzureHostArgs, ranges: pulumi.Input<string[]>): Rule[] {
  return [ssh(args), ...swarm(ranges)];
}

function ssh({ adminCidrs }: AzureHostArgs): Rule {
  return allow("ssh", 120, "22", { sourceAddressPrefixes: [...adminCidrs] });
}

/**
 * Opens Swarm's ports to the machines of the subnet, and closes them to the rest of the virtual network, which Azure's default rules let in:
 * also peered networks belong to it, and the traffic of the services on port 4789 (VXLAN) isn't authenticated.
 *
 * @see https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
 */
function swarm(ranges: pulumi.Input<string[]>): Rule[] {
  const from = { sourceAddressPrefixes: ranges };
  const rule = { ...allow("swarm-tcp", 130, "", from), destinationPortRange: undefined };
  return [
    { ...rule, destinationPortRanges: ["2377", "7946"] },
    {
      ...rule,
      ...{ name: "swarm-udp", priority: 140, protocol: "Udp" },
      destinationPortRanges: ["4789", "7946"],
    },
    {
      ...rule,
      ...{ name: "swarm-others", priority: 150, protocol: "*", access: "Deny" },
      ...{ sourceAddressPrefix: "VirtualNetwork", sourceAddressPrefixes: undefined },
      destinationPortRanges: ["2377", "4789", "7946"],
    },
  ];
}

function allow(
  name: string,
  priority: number,
  port: string,
  from: Pick<Rule, "sourceAddressPrefix" | "sourceAddressPrefixes">,
): Rule {
  return {
    name,
    priority,
    direction: "Inbound",
    access: "Allow",
    protocol: "Tcp",
    ...from,
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: port,
  };
}

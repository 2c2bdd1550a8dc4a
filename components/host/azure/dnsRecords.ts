import * as dns from "@pulumi/azure-native/dns";
import { Provider } from "@pulumi/azure-native/provider";
import * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { existing } from "./existing";

/** An existing zone of Azure DNS, in which the stack creates records. */
export interface DnsZoneArgs {
  /** Name of the zone, for example "example.org". In lower case. */
  readonly name: string;
  /** In lower case. */
  readonly resourceGroupName: string;
  /** Subscription of the zone. Defaults to that of the host. */
  readonly subscriptionId?: string;
  /** Names in the zone that lead to the host, the zone's own name and wildcards included. */
  readonly names: readonly string[];
}

/** Seconds for which resolvers keep a record: short, because a stack that was taken down comes back with another address. */
const TTL = 60;

/**
 * Creates an A record for each name in the zone. The records depend on the address alone, so that a replacement of the VM leaves them
 * as they are, and the engine deletes them before the address: it may be given to somebody else next.
 */
export function dnsRecords(
  { name, opts: { parent, provider } }: AzureScope,
  args: Pick<AzureHostArgs, "dnsZone" | "location" | "subscriptionId">,
  ipv4Address: pulumi.Output<string>,
): dns.RecordSet[] {
  const { dnsZone: zone, location } = args;
  if (zone === undefined) return [];
  const { resourceGroupName, subscriptionId } = zone;
  const isElsewhere =
    subscriptionId !== undefined &&
    subscriptionId.toLowerCase() !== args.subscriptionId?.toLowerCase();
  const opts = {
    parent,
    provider: isElsewhere
      ? new Provider(`${name}-dns`, { location, subscriptionId }, { parent })
      : provider,
  };
  const found = existing(dns.getZone({ resourceGroupName, zoneName: zone.name }, opts));
  const zoneName = found.then(({ name }) => name);
  return zone.names.map(
    (fqdn) =>
      new dns.RecordSet(
        `${name}-${fqdn}`,
        {
          resourceGroupName,
          zoneName,
          relativeRecordSetName: relativeName(fqdn, zone.name),
          recordType: "A",
          ttl: TTL,
          aRecords: [{ ipv4Address }],
        },
        // Another provider for the zone's subscription replaces the record, although it is the same one in Azure, where it can't be twice.
        { ...opts, deleteBeforeReplace: true },
      ),
  );
}

/** Returns a name without that of its zone: "@" for the zone itself. */
function relativeName(name: string, zone: string): string {
  return name === zone ? "@" : name.slice(0, -zone.length - 1);
}

/** A zone of Azure DNS in the value of store:dnsZone. Azure's names are the same in any case, and in lower case here. */
export interface AzureZone {
  readonly name: string;
  /** Undefined for a zone in store:resourceGroup. */
  readonly id?: { readonly subscriptionId: string; readonly resourceGroupName: string };
}

const ZONE_ID =
  /^\/subscriptions\/([0-9a-f-]{36})\/resourcegroups\/([^/]+)\/providers\/microsoft\.network\/dnszones\/([^/]+)$/;

/** Parses the name or the ID of a zone. Another text is the zone's name. */
export function parseZone(value: string): AzureZone {
  const lower = value.toLowerCase();
  const [, subscriptionId = "", resourceGroupName = "", name] = ZONE_ID.exec(lower) ?? [];
  return name === undefined ? { name: lower } : { name, id: { subscriptionId, resourceGroupName } };
}

/** Returns true if a zone may have records of a name: the zone's own, or one that ends with it. */
export function isInZone(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

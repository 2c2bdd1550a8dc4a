import type { DnsZoneArgs } from "../../components/host/azure/dnsRecords";
import { Mistake } from "../configError";
import { configSet, type Rule, when } from "../rule";
import type { ConfigValues } from "../schema";
import { domainNames, isDomainName } from "./domainNames";

/** A zone in the value of store:dnsZone. Azure's names are the same in any case, and in lower case here. */
interface DnsZone {
  readonly name: string;
  /** Undefined for a zone in store:resourceGroup. */
  readonly id?: { readonly subscriptionId: string; readonly resourceGroupName: string };
}

const ZONE_ID =
  /^\/subscriptions\/([0-9a-f-]{36})\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Network\/dnsZones\/([^/]+)$/i;

/** Returns what the value of store:dnsZone should be instead; undefined for a valid value or an empty text. */
export function dnsZoneProblem(value: string): string | undefined {
  const { name } = parse(value);
  if (value === "" || (name.includes(".") && isDomainName(name))) return undefined;
  return `should be the name of a zone, such as example.org, or its ID, /subscriptions/…/dnszones/NAME. ${printId("NAME")}`;
}

/**
 * Returns the zone of store:dnsZone, and the names of the store in it; undefined if the key isn't set. The values have passed all rules.
 *
 * @param hosts Names of services that answer for certain hosts, wildcards included.
 */
export function dnsZoneArgs(
  { dnsZone, domain, resourceGroup }: ConfigValues,
  hosts: readonly string[],
): DnsZoneArgs | undefined {
  if (dnsZone === "") return undefined;
  const { name, id } = parse(dnsZone);
  const names = [...new Set([...domainNames(domain), ...hosts])];
  return {
    name,
    // Another case in the key would replace the records.
    resourceGroupName: id?.resourceGroupName ?? resourceGroup.toLowerCase(),
    subscriptionId: id?.subscriptionId,
    names: names.filter((one) => isInZone(one, name)),
  };
}

export const DNS_ZONE_RULES: readonly Rule[] = [
  { reads: ["host", "dnsZone"], check: zoneOnAzure },
  { reads: ["host", "dnsZone", "resourceGroup"], check: zoneFound },
  { reads: ["host", "dnsZone", "domain"], check: domainInZone },
];

function zoneOnAzure({ host, dnsZone }: ConfigValues): Mistake[] {
  return when(
    dnsZone !== "" && host !== "azure",
    "dnsZone",
    `is a zone of Azure DNS, in which the stack creates records for a store on Azure only; store:host is ${host}. Remove the key.`,
  );
}

/** A group of the stack's own is deleted with the stack, so no zone is in it. */
function zoneFound({ host, dnsZone, resourceGroup }: ConfigValues): Mistake[] {
  const { name, id } = parse(dnsZone);
  return when(
    host === "azure" && dnsZone !== "" && id === undefined && resourceGroup === "",
    "dnsZone",
    `${name} is the name of a zone in store:resourceGroup, which isn't set. Name the zone by its ID. ${printId(name)}`,
  );
}

function domainInZone({ host, dnsZone, domain }: ConfigValues): Mistake[] {
  if (host !== "azure" || dnsZone === "") return [];
  const { name } = parse(dnsZone);
  const names = domainNames(domain);
  return [
    ...when(
      names.length === 0,
      "dnsZone",
      `is set, but store:domain has no name to create a record for: ${configSet(`domain shop.${name}`)}`,
    ),
    ...when(
      names.length > 0 && !names.some((one) => isInZone(one, name)),
      "dnsZone",
      `is ${name}, but no name of store:domain (${names.join(", ")}) is in it. Correct one of the keys, or remove store:dnsZone.`,
    ),
  ];
}

/** Returns a warning about names for which the stack creates no record, as "store:KEY: PROBLEM". */
export function dnsZoneWarnings({ dnsZone, domain }: ConfigValues): string[] {
  if (dnsZone === "") return [];
  const { name } = parse(dnsZone);
  const outside = domainNames(domain).filter((one) => !isInZone(one, name));
  return outside.length === 0
    ? []
    : [
        `store:dnsZone: ${outside.join(", ")} (store:domain) ${outside.length === 1 ? "isn't" : "aren't"} in the zone ${name}, so the stack creates no record there. Create ${outside.length === 1 ? "it" : "them"} yourself.`,
      ];
}

function isInZone(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

function parse(value: string): DnsZone {
  const lower = value.toLowerCase();
  const [, subscriptionId = "", resourceGroupName = "", name] = ZONE_ID.exec(lower) ?? [];
  return name === undefined ? { name: lower } : { name, id: { subscriptionId, resourceGroupName } };
}

function printId(name: string): string {
  return `This prints it: az network dns zone list --query "[?name=='${name}'].id" --output tsv`;
}

import type { DnsZoneArgs } from "../../components/host/azure/dnsRecords";
import { Mistake } from "../configError";
import { configSet, type Rule, when } from "../rule";
import type { ConfigValues } from "../schema";
import { isInZone, parseZone } from "./azureZone";
import { domainNames, isDomainName } from "./domainNames";

/** Returns what the value of store:dnsZone should be instead; undefined for a valid value or an empty text. */
export function dnsZoneProblem(value: string): string | undefined {
  const { name } = parseZone(value);
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
  const { name, id } = parseZone(dnsZone);
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
  const { name, id } = parseZone(dnsZone);
  return when(
    host === "azure" && dnsZone !== "" && id === undefined && resourceGroup === "",
    "dnsZone",
    `${name} is the name of a zone in store:resourceGroup, which isn't set. Name the zone by its ID. ${printId(name)}`,
  );
}

function domainInZone({ host, dnsZone, domain }: ConfigValues): Mistake[] {
  if (host !== "azure" || dnsZone === "") return [];
  const { name } = parseZone(dnsZone);
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

/**
 * Returns a warning about names for which the stack creates no record, as "store:KEY: PROBLEM".
 *
 * @param hosts Names of services that answer for certain hosts.
 */
export function dnsZoneWarnings(
  { dnsZone, domain }: Pick<ConfigValues, "dnsZone" | "domain">,
  hosts: readonly string[],
): string[] {
  if (dnsZone === "") return [];
  const { name } = parseZone(dnsZone);
  const outside = (names: readonly string[]): string[] =>
    names.filter((one) => !isInZone(one, name));
  const ofDomain = outside(domainNames(domain));
  const ofServices = [...new Set(outside(hosts))].filter((one) => !ofDomain.includes(one));
  const found = [
    ...(ofDomain.length > 0 ? [`${ofDomain.join(", ")} (store:domain)`] : []),
    ...(ofServices.length > 0 ? [`${ofServices.join(", ")} (hosts of services)`] : []),
  ];
  if (found.length === 0) return [];
  const isOne = ofDomain.length + ofServices.length === 1;
  return [
    `store:dnsZone: ${found.join(", ")} ${isOne ? "isn't" : "aren't"} in the zone ${name}, so the stack creates no record there. Create ${isOne ? "it" : "them"} yourself.`,
  ];
}

function printId(name: string): string {
  return `This prints it: az network dns zone list --query "[?name=='${name}'].id" --output tsv`;
}

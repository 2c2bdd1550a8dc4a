import type { HostProblem } from "./hostProblems";

/** Messages of Azure about the zone of store:dnsZone, in order of precedence. */
export const AZURE_DNS_PROBLEMS: readonly HostProblem[] = [
  {
    name: "azure-dns-permission",
    match: [/action 'Microsoft\.Network\/dnszones\/(\w+\/)?(read|write|delete)'/i],
    cause: "the login may not change the DNS zone of store:dnsZone",
    hint: "Assign the role DNS Zone Contributor on that zone, or remove store:dnsZone and create the records yourself.",
  },
  {
    name: "azure-dns-zone",
    match: [/dns:getZone returned an error: .*Resource(Group)?NotFound/s],
    cause: "the DNS zone of store:dnsZone doesn't exist",
    hint: "List the zones: az network dns zone list --query '[].id' --output tsv. Then correct store:dnsZone.",
  },
  {
    name: "azure-dns-cname",
    match: [/a CNAME record with the same name already exists/],
    cause: "the DNS zone has a CNAME record of this name, which excludes an A record",
    hint: "If the name should lead to this stack, delete that record: az network dns record-set cname delete --resource-group GROUP --zone-name ZONE --name NAME. Otherwise remove the name from store:domain.",
  },
  {
    name: "azure-dns-record",
    match: [/already existing resource .*\/dnszones\//i],
    cause: "the DNS zone has a record of this name, which isn't the stack's",
    hint: "Clients may use it: see where it leads, az network dns record-set a list --resource-group GROUP --zone-name ZONE --output table. If the name should lead to this stack, delete the record, whose ID is in the message above: az resource delete --ids ID",
  },
];

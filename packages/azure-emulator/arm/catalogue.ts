import { ResourceType } from "./resourceType";
import { managementLock } from "./types/authorization";
import { disk } from "./types/compute/disk";
import { snapshot } from "./types/compute/snapshot";
import { virtualMachine } from "./types/compute/virtualMachine";
import { registry, scopeMap, token } from "./types/containerregistry";
import { globalSchedule } from "./types/devtestlab";
import { dnsRecordSet, dnsZone } from "./types/dns";
import { networkInterface } from "./types/network/networkInterface";
import { networkSecurityGroup } from "./types/network/networkSecurityGroup";
import { publicIPAddress } from "./types/network/publicIPAddress";
import { subnet, virtualNetwork } from "./types/network/virtualNetwork";
import { resourceGroup } from "./types/resources";

/** The emulated resource types, by Pulumi type token. */
export const CATALOGUE: ReadonlyMap<string, ResourceType> = new Map(
  [
    resourceGroup,
    virtualNetwork,
    subnet,
    networkSecurityGroup,
    publicIPAddress,
    networkInterface,
    disk,
    managementLock,
    snapshot,
    virtualMachine,
    globalSchedule,
    registry,
    scopeMap,
    token,
    dnsZone,
    dnsRecordSet,
  ].map((type) => [type.token, type]),
);

/** @throws an error that lists the emulated types, if this one isn't among them. */
export function typeOf(token: string): ResourceType {
  const found = CATALOGUE.get(token);
  if (found !== undefined) return found;
  throw new Error(
    `The Azure emulator doesn't support the resource type ${token}. Supported types: ${[...CATALOGUE.keys()].join(", ")}.`,
  );
}

/** Azure's public regions. */
export const REGIONS = (
  "australiacentral australiaeast australiasoutheast brazilsouth canadacentral canadaeast centralindia centralus eastasia " +
  "eastus eastus2 francecentral germanywestcentral israelcentral italynorth japaneast japanwest koreacentral mexicocentral " +
  "newzealandnorth northcentralus northeurope norwayeast polandcentral qatarcentral southafricanorth southcentralus " +
  "southeastasia southindia spaincentral swedencentral switzerlandnorth uaenorth uksouth ukwest westcentralus westeurope " +
  "westus westus2 westus3"
).split(" ");

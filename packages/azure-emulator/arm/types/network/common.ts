import { etag, Put, Resource, sameId } from "../../resourceType";
import { listAt, Properties, textAt, Value } from "../../values";

export const NETWORK = "azure-native:network:VirtualNetwork";

export const SUBNET = "azure-native:network:Subnet";

export const GROUP = "azure-native:network:NetworkSecurityGroup";

export const ADDRESS = "azure-native:network:PublicIPAddress";

export const INTERFACE = "azure-native:network:NetworkInterface";

export const MACHINE = "azure-native:compute:VirtualMachine";

export function common({ name }: Put, type: string): Properties {
  return { name, type, provisioningState: "Succeeded", etag: etag() };
}

export function configurationOf(nic: Resource, property: string, id: string): boolean {
  return listAt(nic.properties, "ipConfigurations").some((one) =>
    sameId(textAt(one, `${property}.id`), id),
  );
}

export function word(value: Value, path: string): string {
  return textAt(value, path).toLowerCase();
}

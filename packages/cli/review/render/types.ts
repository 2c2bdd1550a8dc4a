import { typeKey } from "../collect/publicValues";
import { plainText } from "./escape";

/** Names of types for people. */
const LABELS: Readonly<Record<string, string>> = {
  "docker:index/container:Container": "container",
  "docker:index/volume:Volume": "Docker volume",
  "docker:index/network:Network": "Docker network",
  "docker:index/remoteImage:RemoteImage": "image",
  "docker:index/service:Service": "Swarm service",
  "docker:index/secret:Secret": "Swarm secret",
  "azure-native:compute:VirtualMachine": "virtual machine",
  "azure-native:compute:Disk": "managed disk",
  "azure-native:compute:Snapshot": "disk snapshot",
  "azure-native:authorization:ManagementLockByScope": "deletion lock",
  "azure-native:network:NetworkSecurityGroup": "network security group",
  "azure-native:network:VirtualNetwork": "virtual network",
  "azure-native:network:Subnet": "subnet",
  "azure-native:network:PublicIPAddress": "public IP address",
  "azure-native:network:NetworkInterface": "network interface",
  "azure-native:dns:RecordSet": "DNS record",
  "azure-native:resources:ResourceGroup": "resource group",
  "azure-native:containerregistry:Registry": "registry",
  "azure-native:devtestlab:GlobalSchedule": "nightly shutdown",
  "random:index/randomPassword:RandomPassword": "password",
};

/** Returns a type in words, or its last part. Escaped. */
export function typeLabel(type: string): string {
  return LABELS[typeKey(type)] ?? plainText(shortType(type));
}

/** Returns a type without what repeats, for example "docker:Container" for "docker:index/container:Container". */
export function shortType(type: string): string {
  const parts = type.split(":");
  const name = parts.at(-1) ?? type;
  return parts.length < 2 ? name : `${parts[0]?.replace("azure-native", "azure") ?? ""}:${name}`;
}

export function isCloud(type: string): boolean {
  return type.startsWith("azure-native:");
}

import type * as pulumi from "@pulumi/pulumi";
import type { AzureRegistryTier, RegistryAccess } from "../../registry/registry";
import type { CommonProviders } from "../host";
import type { DockerSource } from "./cloudInit";
import type { DnsZoneArgs } from "./dnsRecords";

export interface AzureHostArgs {
  readonly providers: CommonProviders;
  /** ID of the Azure subscription. Defaults to the subscription of the login. */
  readonly subscriptionId?: string;
  /** Region, for example "australiaeast". */
  readonly location: string;
  /** Number of VMs in the subnet. The first one keeps the gateway and the databases; the others run the services. Defaults to 1. */
  readonly hosts?: number;
  /** Size of each VM, for example "Standard_DS2_v2". */
  readonly vmSize: string;
  /** Image of the VM as "publisher:offer:sku:version". Another image replaces the VM. */
  readonly vmImage: string;
  /** User of the VM who logs in by SSH and may use sudo. */
  readonly adminUser: string;
  /** Address ranges in CIDR notation from which SSH is possible. At least one. */
  readonly adminCidrs: readonly string[];
  /** Opens port 443 to everybody, as port 80 is. Defaults to false. */
  readonly https?: boolean;
  /** Existing resource group for the stack's resources, which it neither changes nor deletes. Defaults to a group of the stack's own. */
  readonly resourceGroup?: string;
  /** ID of an existing subnet for the VM, in the same region and subscription. Defaults to a network of the stack's own. */
  readonly subnetId?: string;
  /** Address range of the VM's own virtual network in CIDR notation, for example "10.20.0.0/16". */
  readonly addressRange: string;
  /** First part of the DNS name, unique in the region. Defaults to project and stack with a random suffix. */
  readonly dnsLabel?: string;
  /** Zone of Azure DNS with records for the host. Defaults to none. */
  readonly dnsZone?: DnsZoneArgs;
  /** Key pair of {@link adminUser} in OpenSSH's format. Defaults to a generated one. */
  readonly loginKey?: { readonly public: string; readonly private: pulumi.Input<string> };
  /** Size in GiB of the disk for the databases' data, which outlives the VM. */
  readonly dataDiskGiB: number;
  /** Forbids everybody to delete the data disk in Azure. Requires a role that may create locks. Defaults to false. */
  readonly dataDiskLock?: boolean;
  /** Copies the data disk before each change that replaces the VM, and keeps the last copy. Defaults to false. */
  readonly diskSnapshots?: boolean;
  /** Source and exact version of Docker's packages. The version defaults to the newest one of the source. */
  readonly docker: { readonly source: DockerSource; readonly version?: string };
  /** Minutes within which a new VM must be a Docker host; the `up` fails otherwise. */
  readonly readyMinutes: number;
  /** Time, as "HHMM" in the time zone, at which the VM is switched off each night. Defaults to never. */
  readonly shutdown?: { readonly time: string; readonly timeZone: string };
  /** Secure boot and a virtual TPM, which not every VM size supports. Defaults to false. */
  readonly trustedLaunch?: boolean;
  /** Encryption of disks and caches on the VM's physical host. Requires a feature of the subscription. Defaults to false. */
  readonly encryptionAtHost?: boolean;
  /** Value of the tag "owner", which every resource has beside "project" and "stack". */
  readonly owner: string;
  /** Further tags of every resource, by name. Defaults to none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Registry from which the VM pulls images, or the tier of an Azure registry to create for the stack. */
  readonly registry: RegistryAccess | { readonly tier: AzureRegistryTier };
}

/** Values that the resources of one of the VMs share. */
export interface AzureScope {
  /** Name of the host or of a worker, which is also the name or the prefix of the name of each resource. */
  readonly name: string;
  /** Arguments of each resource in the resource group. */
  readonly common: {
    readonly resourceGroupName: pulumi.Output<string>;
    readonly location: string;
    readonly tags: Readonly<Record<string, string>>;
  };
  /** Options of each resource. */
  readonly opts: pulumi.CustomResourceOptions;
}

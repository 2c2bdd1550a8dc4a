import * as compute from "@pulumi/azure-native/compute";
import * as devtestlab from "@pulumi/azure-native/devtestlab";
import type * as network from "@pulumi/azure-native/network";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { cloudInit } from "./cloudInit";
import { dataSnapshot } from "./dataDisk";
import { distributionOf } from "./vmImages";
import { computerName } from "./vmNames";
import { hasNvmeDisks } from "./vmSizes";

/**
 * Paths of the disk at LUN 0: of a SCSI disk by the rules of Azure's agent, of an NVMe disk by azure-vm-utils. Only one may be in
 * fstab, from which systemd takes the first line of a folder even if the device doesn't exist.
 *
 * @see https://learn.microsoft.com/azure/virtual-machines/linux/azure-virtual-machine-utilities
 */
const SCSI_DEVICE = "/dev/disk/azure/scsi1/lun0";
const NVME_DEVICE = "/dev/disk/azure/data/by-lun/0";

/**
 * Properties that Azure refuses to change on a running VM with a 409, although the provider plans an update. Only what the program
 * itself sets: a parent object would replace the VM for a value that Azure adds.
 */
const IMMUTABLE = [
  // Between some sizes Azure can resize, but it restarts the VM while the program deploys to it.
  "hardwareProfile.vmSize",
  "osProfile.adminUsername",
  "osProfile.computerName",
  "osProfile.customData",
  "osProfile.linuxConfiguration.disablePasswordAuthentication",
  "osProfile.linuxConfiguration.ssh.publicKeys",
  "storageProfile.imageReference.publisher",
  "storageProfile.imageReference.offer",
  "storageProfile.imageReference.sku",
  "storageProfile.imageReference.version",
  // The whole object, because the provider reports an added or removed profile as one change.
  "securityProfile",
];

/**
 * Properties that Azure changes by itself and a refresh copies into the state: update management and policies set the first five, and
 * Azure leaves the others out while the VM is deallocated. The data disk's size changes with the resource of the disk.
 *
 * @see https://github.com/Azure/azure-policy/issues/1458
 * @see https://github.com/Azure/azure-powershell/issues/13213
 */
const SET_BY_AZURE = [
  "identity",
  "osProfile.allowExtensionOperations",
  "osProfile.linuxConfiguration.enableVMAgentPlatformUpdates",
  "osProfile.linuxConfiguration.patchSettings",
  "osProfile.secrets",
  "storageProfile.osDisk.diskSizeGB",
  "storageProfile.osDisk.managedDisk.storageAccountType",
  "storageProfile.dataDisks[*].diskSizeGB",
  "storageProfile.dataDisks[*].managedDisk.storageAccountType",
];

interface VirtualMachineParts {
  /** SSH host key of the VM in OpenSSH's format. */
  readonly hostKey: KeyPair;
  /** Key pair of the administrator. */
  readonly loginKey: KeyPair;
  readonly nic: network.NetworkInterface;
  /** Disk for the databases' data. Defaults to none, for a worker. */
  readonly disk?: compute.Disk;
  /** Number of the worker. Defaults to the host. */
  readonly worker?: number;
}

export interface KeyPair {
  readonly public: pulumi.Input<string>;
  readonly private: pulumi.Input<string>;
}

/** Creates the VM, which cloud-init makes a Docker host at its first boot. */
export function virtualMachine(
  scope: AzureScope,
  args: AzureHostArgs,
  parts: VirtualMachineParts,
): compute.VirtualMachine {
  const { name, common, opts } = scope;
  const profiles = {
    hardwareProfile: { vmSize: args.vmSize },
    osProfile: osProfile(args, parts),
    storageProfile: storageProfile(args.vmImage, parts.disk),
    securityProfile: securityProfile(args),
  };
  const snapshot =
    args.diskSnapshots && parts.disk && dataSnapshot(scope, parts.disk, replacementKey(profiles));
  return new compute.VirtualMachine(
    name,
    {
      ...common,
      vmName: vmName(name, args, parts),
      ...profiles,
      networkProfile: {
        networkInterfaces: [{ id: parts.nic.id, primary: true, deleteOption: "Detach" }],
      },
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
    },
    {
      ...opts,
      replaceOnChanges: IMMUTABLE,
      ignoreChanges: SET_BY_AZURE,
      // Two VMs can't share the name, the address, the network interface and the disk.
      deleteBeforeReplace: true,
      additionalSecretOutputs: ["osProfile"],
      customTimeouts: { create: "20m", delete: "20m" },
      // The snapshot is complete before the engine deletes the previous VM.
      ...(snapshot && { dependsOn: [snapshot] }),
    },
  );
}

/**
 * Returns the name of the VM, which is always the same: a creation that Azure refuses (quota, capacity) reserves the network interface
 * for this name for three minutes. With another name, the next attempt would be refused as well.
 */
function vmName(
  name: string,
  { resourceGroup }: AzureHostArgs,
  { worker }: VirtualMachineParts,
): string {
  // In a group with other stacks, the name must be the stack's own.
  return resourceGroup === undefined ? name : hostName(worker);
}

function hostName(worker: number | undefined): string {
  return computerName(pulumi.getProject(), pulumi.getStack(), worker);
}

type Profiles = Pick<
  compute.VirtualMachineArgs,
  "hardwareProfile" | "osProfile" | "securityProfile"
> & { readonly storageProfile: ReturnType<typeof storageProfile> };

/** Returns a text that changes with each of the inputs in IMMUTABLE. */
function replacementKey({
  hardwareProfile,
  osProfile,
  securityProfile,
  storageProfile: { imageReference },
}: Profiles): pulumi.Output<string> {
  const inputs = pulumi.output([hardwareProfile, osProfile, securityProfile, imageReference]);
  // customData holds the host key, which a hash doesn't reveal.
  return pulumi.unsecret(inputs.apply((values) => sha256(JSON.stringify(values))));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function osProfile(
  args: AzureHostArgs,
  { hostKey, loginKey, worker }: VirtualMachineParts,
): compute.VirtualMachineArgs["osProfile"] {
  const { adminUser } = args;
  return {
    computerName: hostName(worker),
    adminUsername: adminUser,
    customData: customData(args, hostKey, worker !== undefined),
    linuxConfiguration: {
      disablePasswordAuthentication: true,
      ssh: {
        publicKeys: [
          {
            path: `/home/${adminUser}/.ssh/authorized_keys`,
            keyData: pulumi.output(loginKey.public).apply((key) => key.trim()),
          },
        ],
      },
    },
  };
}

function customData(
  args: AzureHostArgs,
  hostKey: KeyPair,
  isWorker: boolean,
): pulumi.Output<string> {
  const dataDevice = hasNvmeDisks(args.vmSize) ? NVME_DEVICE : SCSI_DEVICE;
  return pulumi.all([hostKey.private, hostKey.public]).apply(([privateKey, publicKey]) =>
    base64(
      cloudInit({
        adminUser: args.adminUser,
        distribution: distributionOf(args.vmImage),
        hostKey: { private: privateKey, public: publicKey.trim() },
        docker: args.docker.source,
        dockerVersion: args.docker.version,
        ...(isWorker ? { isWorker } : { dataDevice }),
      }),
    ),
  );
}

/** Limit of Azure for customData in bytes. */
const CUSTOM_DATA_LIMIT = 65_535;

function base64(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length > CUSTOM_DATA_LIMIT) {
    throw new pulumi.RunError(
      `The VM's customData has ${bytes.length} bytes. Azure's limit is ${CUSTOM_DATA_LIMIT} bytes.`,
    );
  }
  return bytes.toString("base64");
}

function storageProfile(vmImage: string, disk: compute.Disk | undefined) {
  const [publisher, offer, sku, version] = vmImage.split(":");
  return {
    imageReference: { publisher, offer, sku, version },
    osDisk: {
      createOption: "FromImage",
      deleteOption: "Delete",
      managedDisk: { storageAccountType: "StandardSSD_LRS" },
    },
    ...(disk && {
      dataDisks: [
        {
          lun: 0,
          createOption: "Attach",
          managedDisk: { id: disk.id },
          deleteOption: "Detach",
        },
      ],
    }),
  };
}

function securityProfile({
  trustedLaunch,
  encryptionAtHost,
}: AzureHostArgs): compute.VirtualMachineArgs["securityProfile"] {
  if (!trustedLaunch && !encryptionAtHost) return undefined;
  return {
    ...(encryptionAtHost && { encryptionAtHost }),
    ...(trustedLaunch && {
      securityType: "TrustedLaunch",
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    }),
  };
}

/** Switches the VM off each night: then only its disks cost money. @param name Name of the schedule in the program */
export function nightlyShutdown(
  name: string,
  { common, opts }: AzureScope,
  { time, timeZone }: { readonly time: string; readonly timeZone: string },
  vm: compute.VirtualMachine,
): void {
  new devtestlab.GlobalSchedule(
    name,
    {
      ...common,
      // Azure recognizes the schedule of a VM only by this name.
      name: pulumi.interpolate`shutdown-computevm-${vm.name}`,
      status: "Enabled",
      taskType: "ComputeVmShutdownTask",
      targetResourceId: vm.id,
      dailyRecurrence: { time },
      timeZoneId: timeZone,
    },
    // Azure deletes it together with the group, but not together with the VM.
    opts,
  );
}

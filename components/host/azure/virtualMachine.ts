import * as compute from "@pulumi/azure-native/compute";
import * as devtestlab from "@pulumi/azure-native/devtestlab";
import type * as network from "@pulumi/azure-native/network";
import * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { cloudInit } from "./cloudInit";
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

/** Creates the disk for the databases' data: protected, because it is the only resource here that can't be recreated. */
export function dataDisk({ name, common, opts }: AzureScope, sizeGiB: number): compute.Disk {
  return new compute.Disk(
    `${name}-data`,
    {
      ...common,
      creationData: { createOption: "Empty" },
      diskSizeGB: sizeGiB,
      sku: { name: "StandardSSD_LRS" },
    },
    { ...opts, protect: true },
  );
}

interface VirtualMachineParts {
  /** SSH host key of the VM in OpenSSH's format. */
  readonly hostKey: KeyPair;
  /** Key pair of the administrator. */
  readonly loginKey: KeyPair;
  readonly nic: network.NetworkInterface;
  readonly disk: compute.Disk;
}

interface KeyPair {
  readonly public: pulumi.Input<string>;
  readonly private: pulumi.Input<string>;
}

/** Creates the VM, which cloud-init makes a Docker host at its first boot. */
export function virtualMachine(
  { name, common, opts }: AzureScope,
  args: AzureHostArgs,
  parts: VirtualMachineParts,
): compute.VirtualMachine {
  return new compute.VirtualMachine(
    name,
    {
      ...common,
      // A creation that Azure refuses (quota, capacity) reserves the network interface for this name for three minutes. With another
      // name, the next attempt would be refused as well.
      vmName: name,
      hardwareProfile: { vmSize: args.vmSize },
      osProfile: osProfile(args, parts),
      storageProfile: storageProfile(args.vmImage, parts.disk),
      networkProfile: {
        networkInterfaces: [{ id: parts.nic.id, primary: true, deleteOption: "Detach" }],
      },
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
      securityProfile: securityProfile(args),
    },
    {
      ...opts,
      replaceOnChanges: IMMUTABLE,
      ignoreChanges: SET_BY_AZURE,
      // Two VMs can't share the name, the address, the network interface and the disk.
      deleteBeforeReplace: true,
      additionalSecretOutputs: ["osProfile"],
      customTimeouts: { create: "20m", delete: "20m" },
    },
  );
}

function osProfile(
  args: AzureHostArgs,
  { hostKey, loginKey }: VirtualMachineParts,
): compute.VirtualMachineArgs["osProfile"] {
  const { adminUser } = args;
  return {
    computerName: computerName(pulumi.getProject(), pulumi.getStack()),
    adminUsername: adminUser,
    customData: customData(args, hostKey),
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

function customData(args: AzureHostArgs, hostKey: KeyPair): pulumi.Output<string> {
  return pulumi.all([hostKey.private, hostKey.public]).apply(([privateKey, publicKey]) =>
    base64(
      cloudInit({
        adminUser: args.adminUser,
        distribution: /ubuntu/i.test(args.vmImage) ? "ubuntu" : "debian",
        hostKey: { private: privateKey, public: publicKey.trim() },
        docker: args.docker.source,
        dockerVersion: args.docker.version,
        dataDevice: hasNvmeDisks(args.vmSize) ? NVME_DEVICE : SCSI_DEVICE,
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

function storageProfile(
  vmImage: string,
  disk: compute.Disk,
): compute.VirtualMachineArgs["storageProfile"] {
  const [publisher, offer, sku, version] = vmImage.split(":");
  return {
    imageReference: { publisher, offer, sku, version },
    osDisk: {
      createOption: "FromImage",
      deleteOption: "Delete",
      managedDisk: { storageAccountType: "StandardSSD_LRS" },
    },
    dataDisks: [
      {
        lun: 0,
        createOption: "Attach",
        managedDisk: { id: disk.id },
        deleteOption: "Detach",
      },
    ],
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

/** Switches the VM off each night: then only its disks cost money. */
export function nightlyShutdown(
  { common, opts }: AzureScope,
  { time, timeZone }: { readonly time: string; readonly timeZone: string },
  vm: compute.VirtualMachine,
): void {
  new devtestlab.GlobalSchedule(
    "shutdown",
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

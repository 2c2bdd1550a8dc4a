import { stringify } from "yaml";
import { SUBSCRIPTION } from "../arm/cloud";
import type { Resource } from "../arm/resourceType";
import { MACHINE } from "../arm/types/compute/references";
import { at, listAt, type Properties, textAt } from "../arm/values";

/** Returns the files with which cloud-init provisions a machine. */
export function provisioningOf(machine: Resource): Record<string, string> {
  return machine.token === MACHINE ? azureProvisioning(machine) : noCloudProvisioning(machine);
}

/**
 * Returns the files of cloud-init's Azure data source, and those of the emulated platform (image/azure). Azure has the document
 * ovf-env.xml on a DVD, and the VM's ID in the firmware.
 */
function azureProvisioning(machine: Resource): Record<string, string> {
  return {
    "var/lib/cloud/seed/azure/ovf-env.xml": ovfEnv(machine.properties),
    "etc/rehearsal/instance.json": JSON.stringify(instanceMetadata(machine)),
    "etc/rehearsal/vm-id": `${textAt(machine.computed, "vmId")}\n`,
  };
}

/** Returns Azure's provisioning document. The public keys come from the metadata service. */
function ovfEnv(properties: Properties): string {
  const os = (path: string): string => escapeXml(textAt(properties, `osProfile.${path}`));
  return `<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
  <wa:ProvisioningSection>
    <wa:Version>1.0</wa:Version>
    <LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure">
      <ConfigurationSetType>LinuxProvisioningConfiguration</ConfigurationSetType>
      <HostName>${os("computerName")}</HostName>
      <UserName>${os("adminUsername")}</UserName>
      <DisableSshPasswordAuthentication>${String(disablesPasswords(properties))}</DisableSshPasswordAuthentication>
      <CustomData>${os("customData")}</CustomData>
    </LinuxProvisioningConfigurationSet>
  </wa:ProvisioningSection>
  <wa:PlatformSettingsSection>
    <wa:Version>1.0</wa:Version>
    <PlatformSettings xmlns="http://schemas.microsoft.com/windowsazure">
      <ProvisionGuestAgent>true</ProvisionGuestAgent>
      <PreprovisionedVm>false</PreprovisionedVm>
    </PlatformSettings>
  </wa:PlatformSettingsSection>
</Environment>
`;
}

/** Returns what the metadata service has of a VM, as far as cloud-init uses it. */
function instanceMetadata({ id, name, properties, computed }: Resource): object {
  const [, resourceGroupName] = /\/resourceGroups\/([^/]+)\//i.exec(id) ?? [];
  return {
    compute: {
      azEnvironment: "AzurePublicCloud",
      location: textAt(properties, "location"),
      name,
      osProfile: {
        adminUsername: textAt(properties, "osProfile.adminUsername"),
        computerName: textAt(properties, "osProfile.computerName"),
        disablePasswordAuthentication: String(disablesPasswords(properties)),
      },
      publicKeys: keysOf(properties).map((keyData) => ({ keyData })),
      resourceGroupName,
      resourceId: id,
      subscriptionId: SUBSCRIPTION,
      vmId: textAt(computed, "vmId"),
      vmSize: textAt(properties, "hardwareProfile.vmSize"),
    },
    // Docker configures the network, not cloud-init.
    network: { interface: [] },
  };
}

/** Returns the files of cloud-init's NoCloud data source, for a machine outside of Azure. */
function noCloudProvisioning({ properties, computed }: Resource): Record<string, string> {
  const seed = "var/lib/cloud/seed/nocloud-net";
  const customData = textAt(properties, "osProfile.customData");
  return {
    [`${seed}/meta-data`]: stringify({
      "instance-id": textAt(computed, "vmId"),
      "local-hostname": textAt(properties, "osProfile.computerName"),
      "public-keys": keysOf(properties),
    }),
    [`${seed}/vendor-data`]: `#cloud-config\n${stringify({
      system_info: {
        default_user: {
          name: textAt(properties, "osProfile.adminUsername"),
          lock_passwd: disablesPasswords(properties),
          groups: ["adm", "sudo"],
          sudo: ["ALL=(ALL) NOPASSWD:ALL"],
          shell: "/bin/bash",
        },
      },
      ssh_pwauth: !disablesPasswords(properties),
    })}`,
    [`${seed}/user-data`]: Buffer.from(customData, "base64").toString(),
  };
}

function keysOf(properties: Properties): string[] {
  return listAt(properties, "osProfile.linuxConfiguration.ssh.publicKeys").map((key) =>
    textAt(key, "keyData").trim(),
  );
}

function disablesPasswords(properties: Properties): boolean {
  const path = "osProfile.linuxConfiguration.disablePasswordAuthentication";
  return at(properties, path) === true;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
}

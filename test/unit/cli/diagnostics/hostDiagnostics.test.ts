import assert from "node:assert/strict";
import { failedVm } from "@store/cli/host/failedProvisioning";
import { applyRulesTo, diagnose, engineEvents, failedStep, TestEvent } from "./failedRun";

/** Messages of Azure, its provider and SSH, recorded or from their documentation. */
const MESSAGES: readonly [rule: string, message: string, hint: RegExp][] = [
  [
    "azure-login",
    "error building Azure client: please run `az login` to log in to Azure, or set the credentials of a service principal",
    /az login/,
  ],
  [
    "azure-login",
    "DefaultAzureCredential: failed to acquire a token. Attempted credentials: AzureCLICredential: Please run 'az login'",
    /az login/,
  ],
  [
    "azure-subscription",
    `Status=404 Code="SubscriptionNotFound" Message="The subscription '1' could not be found."`,
    /store:subscriptionId/,
  ],
  [
    "azure-permission",
    `Status=403 Code="AuthorizationFailed" Message="The client 'a' does not have authorization to perform action 'b'"`,
    /Contributor on the subscription, .*With store:resourceGroup, Contributor on that group is enough\.\n/,
  ],
  [
    "azure-lock-permission",
    `Status=403 Code="AuthorizationFailed" Message="The client 'a' with object id 'b' does not have authorization to perform action 'Microsoft.Authorization/locks/write' over scope '/subscriptions/1/resourceGroups/host1/providers/Microsoft.Compute/disks/host-data2/providers/Microsoft.Authorization/locks/data' or the scope is invalid."`,
    /Owner, User Access Administrator or Locks Contributor .*store:dataDiskLock/,
  ],
  [
    "azure-subnet-permission",
    `Status=403 Code="LinkedAuthorizationFailed" Message="The client 'a' with object id 'b' has permission to perform action 'Microsoft.Network/networkInterfaces/write' on scope '/subscriptions/1/resourceGroups/host1/providers/Microsoft.Network/networkInterfaces/host2'; however, it does not have permission to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/subscriptions/1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub/subnets/vms' or the linked scope(s) are invalid."`,
    /Network Contributor on that virtual network/,
  ],
  [
    "azure-subnet-permission",
    `invocation of azure-native:network:getVirtualNetwork returned an error: Status=403 Code="AuthorizationFailed" Message="The client 'a' does not have authorization to perform action 'Microsoft.Network/virtualNetworks/read' over scope '/subscriptions/1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub' or the scope is invalid."`,
    /Network Contributor on that virtual network/,
  ],
  [
    "azure-resource-group",
    `invocation of azure-native:resources:getResourceGroup returned an error: Status=404 Code="ResourceGroupNotFound" Message="Resource group 'team-rg' could not be found."`,
    /az group list .*store:resourceGroup/,
  ],
  [
    "azure-subnet",
    `invocation of azure-native:network:getVirtualNetwork returned an error: Status=404 Code="ResourceNotFound" Message="The Resource 'Microsoft.Network/virtualNetworks/hub' under resource group 'net' was not found."`,
    /az network vnet list .*store:subnetId/,
  ],
  [
    "azure-subnet-full",
    `Status=400 Code="SubnetIsFull" Message="Subnet vms with address prefix 10.1.0.0/29 does not have enough capacity for 1 IP addresses."`,
    /another subnet/,
  ],
  [
    "azure-tags",
    `Status=400 Code="InvalidTagNameCharacters" Message="The tag names 'a/b' have reserved characters '<,>,%,&,\\,?,/' or control characters."`,
    /store:tags/,
  ],
  [
    "azure-policy",
    `Status=403 Code="RequestDisallowedByPolicy" Message="Resource 'host' was disallowed by policy. Policy identifiers: '[{"policyAssignment":{"name":"Allowed virtual machine size SKUs","id":"/subscriptions/1/providers/Microsoft.Authorization/policyAssignments/a"}}]'."`,
    /exemption/,
  ],
  [
    "azure-lock",
    `Status=409 Code="ScopeLocked" Message="The scope '/subscriptions/1/resourceGroups/host1' cannot perform delete operation because following scope(s) are locked: '/subscriptions/1/resourceGroups/host1'. Please remove the lock and try again."`,
    /az lock delete --ids ID/,
  ],
  [
    "azure-throttled",
    `Status=429 Code="TooManyRequests" Message="The server rejected the request because too many requests have been received for this subscription."`,
    /Wait a few minutes/,
  ],
  [
    "azure-registration",
    `Status=409 Code="MissingSubscriptionRegistration" Message="The subscription is not registered to use namespace 'Microsoft.DevTestLab'."`,
    /az provider register --namespace NAMESPACE/,
  ],
  [
    "azure-quota",
    `Status=409 Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved standardDSv2Family Cores quota."`,
    /az vm list-usage.*another family/,
  ],
  [
    "azure-regional-quota",
    `Status=409 Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Current Limit: 10"`,
    /another store:location/,
  ],
  [
    "azure-regional-quota",
    `Status=400 Code="PublicIPCountLimitReached" Message="Cannot create more than 10 public IP addresses for this subscription in this region."`,
    /another store:location/,
  ],
  [
    "azure-encryption-at-host",
    `Status=400 Code="InvalidParameter" Message="The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription."`,
    /az feature register --namespace Microsoft\.Compute --name EncryptionAtHost/,
  ],
  [
    "azure-trusted-launch",
    `Status=400 Code="BadRequest" Message="Use of TrustedLaunch setting is not supported for the provided image. Please select Trusted Launch Supported Gen2 OS Image."`,
    /store:trustedLaunch/,
  ],
  [
    "azure-region",
    `Status=400 Code="LocationNotAvailableForResourceGroup" Message="The provided location 'austral' is not available for resource group. List of available regions is 'eastus'."`,
    /az account list-locations/,
  ],
  [
    "azure-capacity",
    `Status=409 Code="AllocationFailed" Message="Allocation failed. We do not have sufficient capacity for the requested VM size in this region."`,
    /store:vmSize or store:location/,
  ],
  [
    "azure-capacity",
    `Status=409 Code="OverconstrainedAllocationRequest" Message="Allocation failed. VM(s) with the following constraints cannot be allocated"`,
    /Wait and try again/,
  ],
  [
    "azure-image",
    `Status=404 Code="PlatformImageNotFound" Message="The platform image 'Debian:debian-12:12-gen3:latest' is not available."`,
    /az vm image list/,
  ],
  [
    "azure-image-on-size",
    `Status=400 Code="BadRequest" Message="The selected VM size 'Standard_D2s_v6' cannot boot Hypervisor Generation '1'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size."`,
    /store:vmImage/,
  ],
  [
    "azure-accelerated-networking",
    `Status=400 Code="VMSizeIsNotPermittedToEnableAcceleratedNetworking" Message="VM size Standard_B2s is not in the allowed VM sizes for accelerated networking."`,
    /\.\/store down/,
  ],
  [
    "azure-firewall",
    `Status=400 Code="OverlappingSubnetsNotPermittedInSecurityRule" Message="Security rule ssh has overlapping subnets 203.0.113.0/24 and 203.0.113.7/32."`,
    /store:adminCidrs/,
  ],
  [
    "azure-firewall",
    `Status=400 Code="SecurityRuleInvalidAddressPrefix" Message="Security rule has invalid Address prefix. Value provided: 50.206.209.68/27"`,
    /store:adminCidrs/,
  ],
  [
    "azure-range-in-use",
    `Status=400 Code="InUsePrefixCannotBeDeleted" Message="IpPrefix 10.20.0.0/16 on Subnet host has active allocations and cannot be deleted."`,
    /store:addressRange or store:subnetId back, or .*\.\/store down/,
  ],
  [
    "azure-network-interface",
    `Status=400 Code="NicReservedForAnotherVm" Message="Nic(s) in request is reserved for another Virtual Machine for 180 seconds. Please provide another nic(s) or retry after 180 seconds."`,
    /Wait three minutes/,
  ],
  [
    "azure-os-provisioning",
    `Status=409 Code="OSProvisioningTimedOut" Message="OS Provisioning for VM 'host' did not finish in the allotted time."`,
    /az vm boot-diagnostics get-boot-log .*tags\.stack=='dev'.*next up replaces/s,
  ],
  [
    "azure-os-provisioning",
    `Status=409 Code="OSProvisioningInternalError" Message="OS Provisioning failed for VM 'host' due to an internal error."`,
    /next up replaces/,
  ],
  [
    "azure-while-running",
    `Status=409 Code="OperationNotAllowed" Message="Cannot resize disk host-data while it is attached to running VM host. Resizing a disk of an Azure Virtual Machine requires the virtual machine to be deallocated."`,
    /\.\/store down/,
  ],
  [
    "azure-vm-size",
    `Status=409 Code="SkuNotAvailable" Message="The requested VM size is currently not available in location 'australiaeast'."`,
    /store:vmSize or store:location/,
  ],
  [
    "azure-vm-size",
    `Status=400 Code="InvalidParameter" Message="The value Standard_X1 provided for the VM size is not valid. The valid sizes in the current region are: Standard_B2s."`,
    /az vm list-skus/,
  ],
  [
    "azure-address-range",
    `Status=400 Code="VnetAddressSpaceOverlapsWithAlreadyPeeredVnet" Message="The address space of the virtual network overlaps"`,
    /store:addressRange/,
  ],
  [
    "azure-address-range",
    `Status=400 Code="NetcfgInvalidSubnet" Message="Subnet 'host' is not valid in virtual network 'host'."`,
    /store:addressRange/,
  ],
  [
    "azure-dns-label",
    `Status=400 Code="DnsRecordInUse" Message="DNS record store.australiaeast.cloudapp.azure.com is already used by another public IP."`,
    /store:dnsLabel/,
  ],
  [
    "azure-dns-permission",
    `Status=403 Code="AuthorizationFailed" Message="The client 'a' does not have authorization to perform action 'Microsoft.Network/dnszones/A/write' over scope '/subscriptions/1/resourceGroups/dns/providers/Microsoft.Network/dnszones/example.org/A/shop' or the scope is invalid."`,
    /DNS Zone Contributor/,
  ],
  [
    "azure-dns-permission",
    `invocation of azure-native:dns:getZone returned an error: Status=403 Code="AuthorizationFailed" Message="The client 'a' does not have authorization to perform action 'Microsoft.Network/dnsZones/read' over scope '/subscriptions/1/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.org' or the scope is invalid."`,
    /DNS Zone Contributor/,
  ],
  [
    "azure-dns-zone",
    `invocation of azure-native:dns:getZone returned an error: Status=404 Code="ResourceNotFound" Message="The Resource 'Microsoft.Network/dnszones/example.org' under resource group 'dns' was not found."`,
    /az network dns zone list .*store:dnsZone/,
  ],
  [
    "azure-dns-zone",
    `invocation of azure-native:dns:getZone returned an error: Status=404 Code="ResourceGroupNotFound" Message="Resource group 'dns' could not be found."`,
    /az network dns zone list/,
  ],
  [
    "azure-subscription",
    `invocation of azure-native:dns:getZone returned an error: Status=404 Code="SubscriptionNotFound" Message="The subscription '1' could not be found."`,
    /store:subscriptionId/,
  ],
  [
    "azure-dns-cname",
    `Status=409 Code="Conflict" Message="The record could not be created because a CNAME record with the same name already exists in this zone."`,
    /record-set cname delete --resource-group/,
  ],
  [
    "azure-dns-record",
    `cannot create already existing resource '/subscriptions/1/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.org/A/shop'`,
    /record-set a list .*az resource delete --ids ID/,
  ],
  [
    "azure-unknown-vm",
    `Status=409 Code="NicInUse" Message="Network Interface a is used by existing resource b."`,
    /az vm delete/,
  ],
  [
    "azure-unknown-vm",
    `cannot create already existing resource '/subscriptions/1/resourceGroups/host1/providers/Microsoft.Compute/virtualMachines/host'`,
    /az vm delete/,
  ],
  [
    "azure-unknown-resource",
    `cannot create already existing resource '/subscriptions/1/resourceGroups/host1/providers/Microsoft.Network/networkInterfaces/host2'`,
    /az resource delete --ids ID/,
  ],
  [
    "azure-not-found",
    `Status=404 Code="ResourceGroupNotFound" Message="Resource group 'host' could not be found."`,
    /--refresh/,
  ],
  [
    "azure-conflict",
    `Status=409 Code="OperationNotAllowed" Message="Another operation is in progress on the virtual machine. Try again later."`,
    /\.\/store preview --refresh/,
  ],
  [
    "data-disk-not-mounted",
    'Process exited with status 1: running "…":\nThe data disk isn\'t mounted at /data. The end of /var/log/cloud-init-output.log:',
    /\.\/store ssh.*e2fsck/,
  ],
  [
    "data-disk-size",
    'Process exited with status 1: running "…":\nthe VM doesn\'t see the new size of its data disk (64 GiB) before a restart',
    /\.\/store reboot/,
  ],
  [
    "data-disk-file-system",
    'Process exited with status 1: running "…":\nthe file system on the data disk doesn\'t grow to 64 GiB: resize2fs: Permission denied to resize filesystem',
    /e2fsck -f/,
  ],
  [
    "provisioning-failed",
    `Process exited with status 1: running "script=$(cat); …":\ncloud-init: …\ncloud-init has finished with errors: ('package_update_upgrade_install', …). The end of /var/log/cloud-init-output.log:`,
    /another VM; the data/,
  ],
  [
    "provisioning-timeout",
    `Process exited with status 124: running "…":\nnot ready within 15 minutes (store:readyMinutes)`,
    /store:readyMinutes/,
  ],
  [
    "provisioning-timeout",
    `not done within its custom timeout of 16m0s (wait: remote command exited without exit status): running "…":\ncloud-init: …`,
    /store:readyMinutes/,
  ],
  [
    "host-key-mismatch",
    "203.0.113.7:22: host key mismatch: expected SHA256:a, got SHA256:b",
    /before you continue/,
  ],
  [
    "ssh-login",
    "after 13 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey]",
    /store:sshPrivateKey/,
  ],
  ...[
    "after 13 failed attempts: dial tcp 203.0.113.7:22: connect: connection refused",
    "after 13 failed attempts: ssh: handshake failed: read tcp 127.0.0.1:1->203.0.113.7:22: read: connection reset by peer",
    "not done within its custom timeout of 2m0s (while dialing 203.0.113.7:22: …)",
    "context deadline exceeded",
  ].map((message): [string, string, RegExp] => [
    "host-unreachable",
    message,
    /store:adminCidrs.*store:readyMinutes.*\.\/store start.*get-boot-log .*tags\.stack=='dev'/s,
  ]),
];

const AZURE = { config: { "store:host": "azure" } };

describe("diagnoseRun for a stack with another host", () => {
  for (const [rule, message, hint] of MESSAGES) {
    it(`finds ${rule} in: ${message.slice(0, 80)}`, async () => {
      const events = failedStep("command:remote:Command", "host-ready", message);
      assert.deepEqual(
        applyRulesTo(events, { local: false }).map((found) => found.rule.name),
        [rule],
      );
      const error = await diagnose(events, AZURE);
      assert.match(error.hint ?? "", hint);
      assert.match(error.hint ?? "", /\nThen: \.\/store up$/);
    });
  }

  it("reports a message of the program, such as a missing login, in the same way", async () => {
    const message = "error building Azure client: please run `az login` to log in to Azure";
    const error = await diagnose(
      engineEvents({ diagnosticEvent: { severity: "error", message } }),
      AZURE,
    );
    assert.match(error.summary, /^Host provisioning failed/);
    assert.match(error.hint ?? "", /az login/);
  });

  it("reports a limit of the whole subscription once, for whatever resources it hit", async () => {
    const throttled = (resource: string): string =>
      `Status=429 Code="SubscriptionRequestsThrottled" Message="… (resource '${resource}'). Please try again after '17' seconds."`;
    const events = ["subnet", "address"].flatMap((name) =>
      failedStep("azure-native:network:Subnet", name, throttled(name)),
    );
    const { summary } = await diagnose(events, AZURE);
    assert.match(summary, /limits the subscription's requests/);
    assert.doesNotMatch(summary, /Also/);
  });

  it("reports a value that the program or Azure refuses without the SDK's wrapper and stack trace", async () => {
    const wrapped = (message: string): ReturnType<typeof diagnose> =>
      diagnose(
        engineEvents({
          diagnosticEvent: {
            severity: "error",
            message: `Error: error serializing property "name": error serializing property "subnet": ${message}\n    at file.ts:2:3736\n    at processTicksAndRejections (node:internal/process/task_queues:95:5)`,
          },
        }),
        AZURE,
      );
    const subnet = await wrapped("store:subnetId: the network hub is in uksouth.");
    assert.equal(subnet.message, "store:subnetId: the network hub is in uksouth.");
    const group = await wrapped(
      `invocation of azure-native:resources:getResourceGroup returned an error: Status=404 Code="ResourceGroupNotFound" Message="Resource group 'x' could not be found."`,
    );
    assert.match(group.message, /resource group of store:resourceGroup doesn't exist/);
    assert.doesNotMatch(group.details.join("\n"), /serializing|task_queues/);
    const bug = await wrapped("Cannot read properties of undefined (reading 'id')");
    assert.match([bug.message, ...bug.details].join("\n"), /file\.ts:2:3736/);
  });

  it("names the type of the Azure resource, because all have the same name", async () => {
    for (const [type, words] of [
      ["azure-native:network:PublicIPAddress", /public IP address/],
      ["azure-native:compute:VirtualMachine", /virtual machine/],
    ] as const) {
      assert.match((await diagnose(failedStep(type, "host", "Status=409"), AZURE)).summary, words);
    }
  });

  it("reports a lost Docker daemon as an unreachable host", async () => {
    const message = "Cannot connect to the Docker daemon at ssh://store-dev. Is it running?";
    const error = await diagnose(
      failedStep("docker:index/network:Network", "backend", message),
      AZURE,
    );
    assert.match(error.summary, /^Host unreachable/);
    assert.match(error.hint ?? "", /store:adminCidrs/);
  });

  it("names no keys and tools of Azure for a machine reached by SSH", async () => {
    const ssh = { config: { "store:host": "ssh" } };
    for (const [message, hint] of [
      ["dial tcp 203.0.113.7:22: i/o timeout", /store:sshAddress/],
      ["Docker doesn't run: no such unit.", /systemctl status docker/],
      ["not ready within 15 minutes", /journalctl -u docker/],
      ["ssh: unable to authenticate, attempted methods [none publickey]", /authorized_keys/],
    ] as const) {
      const error = await diagnose(failedStep("command:remote:Command", "host", message), ssh);
      assert.match(error.hint ?? "", hint);
      assert.doesNotMatch(
        `${error.summary}${error.hint}`,
        /cloud-init|adminCidrs|Azure|\bVM\b|sshPublicKey/,
      );
    }
  });

  it("says that an update failed, not a creation", async () => {
    const type = "azure-native:network:Subnet";
    const urn = `urn:pulumi:dev::store::${type}::host`;
    const message = `Status=400 Code="InUsePrefixCannotBeDeleted"`;
    const events = engineEvents(
      { diagnosticEvent: { urn, severity: "error", message } },
      { resOpFailedEvent: { metadata: { op: "update", urn, type } } },
    );
    assert.match((await diagnose(events, AZURE)).summary, /^Updating the subnet failed: /);
  });

  it("doesn't take a conflict that Docker reports for one of Azure's", () => {
    const message = 'Conflict. The container name "/x" is already in use';
    const [found] = applyRulesTo(failedStep("docker:index/container:Container", "x", message), {
      local: false,
    });
    assert.equal(found?.rule.name, "resource-failed");
  });

  it("doesn't guess the cause of an unknown message, or of a local stack's", () => {
    for (const [message, local] of [
      ["something else went wrong", false],
      ["dial tcp: connection refused", true],
    ] as const) {
      const [found] = applyRulesTo(failedStep("x:y:Z", "x", message), { local });
      assert.equal(found?.rule.name, "resource-failed");
    }
  });
});

describe("failedVm", () => {
  const vm =
    "urn:pulumi:staging::store::store:index:AzureHost$azure-native:compute:VirtualMachine::host";
  const vmStep: TestEvent = {
    resourcePreEvent: {
      metadata: { op: "same", urn: vm, type: "azure-native:compute:VirtualMachine" },
    },
  };
  const failure = (message: string): TestEvent => ({
    diagnosticEvent: { severity: "error", message },
  });

  it("is the VM whose cloud-init failed or left no working Docker", () => {
    for (const message of [
      "<{%reset%}>cloud-init has failed (error).<{%reset%}>",
      "Docker doesn't run: no such unit.",
    ]) {
      assert.equal(failedVm(engineEvents(vmStep, failure(message))), vm);
    }
  });

  const creation = (id: string): TestEvent => ({
    resOpFailedEvent: {
      metadata: {
        ...{ op: "create", urn: vm, type: "azure-native:compute:VirtualMachine" },
        new: { id },
      },
    },
  });

  it("is the VM that Azure has created and that failed afterwards", () => {
    assert.equal(failedVm(engineEvents(creation("/subscriptions/1/virtualMachines/host"))), vm);
  });

  it("is the worker that has failed, not the host", () => {
    const worker = vm.replace(/host$/, "worker-1");
    const step: TestEvent = {
      resourcePreEvent: {
        metadata: { op: "same", urn: worker, type: "azure-native:compute:VirtualMachine" },
      },
    };
    const urn = "urn:pulumi:staging::store::command:remote:Command::worker-1-ready";
    const failed: TestEvent = {
      diagnosticEvent: { severity: "error", message: "cloud-init has failed (error).", urn },
    };
    assert.equal(failedVm(engineEvents(vmStep, step, failed)), worker);
  });

  it("is undefined if Azure refused to create the VM", () => {
    assert.equal(failedVm(engineEvents(creation(""))), undefined);
  });

  it("is undefined if the VM was only unreachable, or not ready in time", () => {
    for (const message of ["after 13 failed attempts: dial tcp", "not ready within 15 minutes"]) {
      assert.equal(failedVm(engineEvents(vmStep, failure(message))), undefined);
    }
  });

  it("is undefined if the run has no VM", () => {
    assert.equal(failedVm(engineEvents(failure("cloud-init has failed (error)."))), undefined);
  });
});

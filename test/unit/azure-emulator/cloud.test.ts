import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { textAt, Value } from "@store/azure-emulator/arm/values";
import { IDS, Part, rule, STAGING, TestCloud } from "./fixture";
import { refused } from "./refused";

describe("The emulated Azure Resource Manager", () => {
  let test: TestCloud;
  beforeEach(() => (test = new TestCloud()));
  afterEach(() => test.dispose());

  it("creates the staging stack's resources with the properties that Azure adds", async () => {
    await test.all();
    const address = test.cloud.get(IDS.address)?.computed ?? {};
    assert.match(textAt(address, "ipAddress"), /^127\.77\.\d+\.\d+$/);
    assert.deepEqual(address["dnsSettings"], {
      domainNameLabel: "store-test",
      fqdn: "store-test.australiaeast.cloudapp.azure.com",
    });
    const machine = test.cloud.get(IDS.machine)?.computed ?? {};
    assert.match(textAt(machine, "vmId"), /^[0-9a-f-]{36}$/);
    assert.equal(machine["provisioningState"], "Succeeded");
    const [configuration] = (test.cloud.get(IDS.nic)?.computed["ipConfigurations"] ?? []) as [
      Value,
    ];
    assert.equal((configuration as { privateIPAddress?: string }).privateIPAddress, "10.20.1.4");
    assert.deepEqual(test.real, ["boot vm"]);
  });

  it("keeps its state on disk, readable by its owner only", async () => {
    await test.all();
    assert.deepEqual(
      test
        .open()
        .everything()
        .map(({ id }) => id),
      test.cloud.everything().map(({ id }) => id),
    );
    assert.ok(readFileSync(test.file, "utf8").includes("azureuser"));
  });

  it("compares IDs case-insensitively", async () => {
    await test.make("group");
    assert.equal(test.cloud.get(IDS.group.toUpperCase())?.name, "store");
  });

  const refusals: readonly [
    what: string,
    part: Part,
    path: string,
    value: Value | undefined,
    code: string,
  ][] = [
    ["an unknown region", "group", "location", "atlantis", "LocationNotAvailableForResourceType"],
    ["an invalid name", "group", "resourceGroupName", "a/b", "InvalidResourceName"],
    [
      "a tag with a forbidden character",
      "group",
      "tags",
      { "a<b": "c" },
      "InvalidTagNameCharacters",
    ],
    [
      "more than 50 tags",
      "group",
      "tags",
      Object.fromEntries([...Array(51).keys()].map((i) => [`t${i}`, "v"])),
      "InvalidTags",
    ],
    ["a tag with a reserved prefix", "group", "tags", { "azure-x": "c" }, "InvalidTagName"],
    ["a tag twice", "group", "tags", { team: "a", Team: "b" }, "InvalidTags"],
    ["a missing resource group", "network", "resourceGroupName", "other", "ResourceGroupNotFound"],
    [
      "an invalid address range",
      "network",
      "addressSpace.addressPrefixes",
      ["10.20.0.0/33"],
      "InvalidAddressPrefixFormat",
    ],
    [
      "an address range with host bits",
      "network",
      "addressSpace.addressPrefixes",
      ["10.20.0.1/16"],
      "InvalidAddressPrefixFormat",
    ],
    [
      "overlapping address ranges",
      "network",
      "addressSpace.addressPrefixes",
      ["10.0.0.0/8", "10.20.0.0/16"],
      "VnetAddressPrefixesOverlap",
    ],
    [
      "a priority below 100",
      "securityGroup",
      "securityRules.0.priority",
      99,
      "SecurityRuleInvalidPriority",
    ],
    [
      "a priority above 4096",
      "securityGroup",
      "securityRules.0.priority",
      4097,
      "SecurityRuleInvalidPriority",
    ],
    [
      "a priority twice in one direction",
      "securityGroup",
      "securityRules.1.priority",
      100,
      "SecurityRuleConflict",
    ],
    [
      "an invalid port",
      "securityGroup",
      "securityRules.0.destinationPortRange",
      "65536",
      "SecurityRuleInvalidPortRange",
    ],
    [
      "an invalid source",
      "securityGroup",
      "securityRules.0.sourceAddressPrefixes",
      ["everybody"],
      "SecurityRuleInvalidAddressPrefix",
    ],
    [
      "a rule without a source",
      "securityGroup",
      "securityRules.0.sourceAddressPrefixes",
      undefined,
      "SecurityRuleParameterNotSpecified",
    ],
    [
      "an invalid enum value",
      "securityGroup",
      "securityRules.0.access",
      "Permit",
      "InvalidParameter",
    ],
    [
      "a subnet outside of its network",
      "subnet",
      "addressPrefix",
      "10.21.1.0/24",
      "NetcfgInvalidSubnet",
    ],
    ["a subnet smaller than /29", "subnet", "addressPrefix", "10.20.1.0/30", "InvalidCIDRNotation"],
    [
      "a subnet of a missing network",
      "subnet",
      "virtualNetworkName",
      "other",
      "ParentResourceNotFound",
    ],
    [
      "a missing security group",
      "subnet",
      "networkSecurityGroup.id",
      `${IDS.securityGroup}x`,
      "InvalidResourceReference",
    ],
    ["a Basic address", "address", "sku.name", "Basic", "IPv4BasicSkuPublicIpCountLimitReached"],
    [
      "a dynamic Standard address",
      "address",
      "publicIPAllocationMethod",
      "Dynamic",
      "StandardSkuPublicIpMustBeStatic",
    ],
    [
      "an invalid domain label",
      "address",
      "dnsSettings.domainNameLabel",
      "Store_1",
      "InvalidDomainNameLabel",
    ],
    [
      "an interface without a configuration",
      "nic",
      "ipConfigurations",
      [],
      "NetworkInterfaceMustHaveOneIpConfiguration",
    ],
    [
      "an interface in a missing subnet",
      "nic",
      "ipConfigurations.0.subnet.id",
      `${IDS.subnet}x`,
      "InvalidResourceReference",
    ],
    [
      "an unknown VM size",
      "machine",
      "hardwareProfile.vmSize",
      "Standard_Huge",
      "InvalidParameter",
    ],
    [
      "an unknown image",
      "machine",
      "storageProfile.imageReference.sku",
      "12-gen3",
      "PlatformImageNotFound",
    ],
    [
      "an unknown image version",
      "machine",
      "storageProfile.imageReference.version",
      "12.5",
      "PlatformImageNotFound",
    ],
    ["a forbidden user name", "machine", "osProfile.adminUsername", "admin", "InvalidParameter"],
    [
      "customData that isn't base64",
      "machine",
      "osProfile.customData",
      "#cloud-config",
      "InvalidParameter",
    ],
    [
      "customData of more than 64 KiB",
      "machine",
      "osProfile.customData",
      Buffer.alloc(65_536).toString("base64"),
      "InvalidParameter",
    ],
    [
      "a key path outside of the user's folder",
      "machine",
      "osProfile.linuxConfiguration.ssh.publicKeys.0.path",
      "/root/.ssh/authorized_keys",
      "InvalidParameter",
    ],
    [
      "an invalid key",
      "machine",
      "osProfile.linuxConfiguration.ssh.publicKeys.0.keyData",
      "not a key",
      "InvalidParameter",
    ],
    [
      "neither a key nor a password",
      "machine",
      "osProfile.linuxConfiguration.ssh.publicKeys",
      [],
      "InvalidParameter",
    ],
    [
      "a missing disk",
      "machine",
      "storageProfile.dataDisks.0.managedDisk.id",
      `${IDS.disk}x`,
      "InvalidResourceReference",
    ],
    ["no network interface", "machine", "networkProfile.networkInterfaces", [], "InvalidParameter"],
  ];
  for (const [what, part, path, value, code] of refusals) {
    it(`rejects ${what}`, async () => {
      await test.before(part);
      await refused(test.make(part, path, value), code);
      assert.ok(!test.names().includes("vm"), "a rejected request creates nothing");
    });
  }

  it("accepts customData of 65,535 bytes", async () => {
    await test.before("machine");
    await test.make("machine", "osProfile.customData", Buffer.alloc(65_535).toString("base64"));
  });

  it("rejects a subnet that overlaps with another subnet", async () => {
    await test.all();
    const [token, properties] = STAGING.subnet;
    const other = { ...properties, subnetName: "other", addressPrefix: "10.20.1.128/25" };
    await refused(test.cloud.create(token, other), "NetcfgInvalidSubnet");
  });

  it("rejects an IP address, disk or interface that is in use", async () => {
    await test.all();
    const [nicToken, nic] = STAGING.nic;
    await refused(
      test.cloud.create(nicToken, { ...nic, networkInterfaceName: "nic2" }),
      "PublicIPAddressInUse",
    );
    const [token, machine] = STAGING.machine;
    await refused(
      test.cloud.create(token, { ...machine, vmName: "vm2" }),
      "AttachDiskWhileBeingDetached",
    );
    const diskless = {
      ...machine,
      vmName: "vm2",
      storageProfile: { ...machine.storageProfile, dataDisks: [] },
    };
    await refused(test.cloud.create(token, diskless), "NicInUse");
  });

  it("rejects a domain label that is in use in the region", async () => {
    await test.all();
    const [token, address] = STAGING.address;
    await refused(
      test.cloud.create(token, { ...address, publicIpAddressName: "address2" }),
      "DnsRecordInUse",
    );
  });

  it("rejects the creation of an existing resource", async () => {
    await test.make("group");
    await assert.rejects(test.make("group"), /cannot create already existing resource/);
  });

  const immutable: readonly [Part, string, Value][] = [
    ["machine", "osProfile.customData", ""],
    ["machine", "osProfile.adminUsername", "someone"],
    ["machine", "osProfile.computerName", "other"],
    ["machine", "storageProfile.imageReference.version", "0.20260101.1"],
    ["machine", "osProfile.linuxConfiguration.ssh.publicKeys", []],
    ["disk", "creationData.createOption", "FromImage"],
  ];
  for (const [part, path, value] of immutable) {
    it(`answers a change of a ${part}'s ${path} with 409`, async () => {
      await test.all();
      await refused(test.update(part, path, value), "PropertyChangeNotAllowed", 409);
    });
  }

  it("updates mutable properties and keeps computed ones", async () => {
    await test.all();
    const before = test.cloud.get(IDS.address)?.computed["ipAddress"];
    await test.update("address", "tags", { owner: "you" });
    await test.update("securityGroup", "securityRules", [rule("http", 100, ["0.0.0.0/0"], "80")]);
    await test.update("machine", "hardwareProfile.vmSize", "Standard_DS3_v2");
    assert.equal(test.cloud.get(IDS.address)?.computed["ipAddress"], before);
    assert.deepEqual(test.real, ["boot vm"]);
  });

  it("rejects a smaller disk size", async () => {
    await test.all();
    await refused(test.update("disk", "diskSizeGB", 16), "DiskSizeReduced", 409);
  });

  it("rejects removing a network's range that a subnet uses", async () => {
    await test.all();
    await refused(
      test.update("network", "addressSpace.addressPrefixes", ["10.30.0.0/16"]),
      "InUsePrefixCannotBeDeleted",
    );
  });

  const inUse: readonly [Part, string][] = [
    ["nic", "NicInUse"],
    ["address", "PublicIPAddressCannotBeDeleted"],
    ["subnet", "InUseSubnetCannotBeDeleted"],
    ["network", "InUseSubnetCannotBeDeleted"],
    ["securityGroup", "InUseNetworkSecurityGroupCannotBeDeleted"],
    ["disk", "OperationNotAllowed"],
  ];
  for (const [part, code] of inUse) {
    it(`refuses to delete the ${part} while it is in use`, async () => {
      await test.all();
      await refused(test.cloud.remove(IDS[part]), code);
      assert.ok(test.cloud.get(IDS[part]));
    });
  }

  it("deletes all resources in the order of their dependencies", async () => {
    await test.all();
    for (const part of [
      "machine",
      "nic",
      "address",
      "subnet",
      "network",
      "securityGroup",
      "disk",
      "group",
    ] as const) {
      await test.cloud.remove(IDS[part]);
    }
    assert.deepEqual(test.cloud.everything(), []);
  });

  it("deletes a resource group with everything in it, VMs first", async () => {
    await test.all();
    await test.cloud.remove(IDS.group);
    assert.deepEqual(test.cloud.everything(), []);
    assert.equal(test.real[1], "shut down vm");
    assert.ok(test.real.includes("remove data"));
  });

  it("keeps a VM's OS disk unless its deleteOption is Delete", async () => {
    await test.before("machine");
    await test.make("machine", "storageProfile.osDisk.deleteOption", "Detach");
    await test.cloud.remove(IDS.machine);
    assert.ok(test.names().some((name) => name.startsWith("vm_OsDisk_1_")));
  });

  it("ignores the deletion of a missing resource", async () => {
    await test.cloud.remove(IDS.machine);
  });

  it("assigns a replaced VM a new vmId and the same IP address", async () => {
    await test.all();
    const [vmId, ip] = [
      test.cloud.get(IDS.machine)?.computed["vmId"],
      test.cloud.get(IDS.address)?.computed["ipAddress"],
    ];
    await test.cloud.remove(IDS.machine);
    await test.make("machine");
    assert.notEqual(test.cloud.get(IDS.machine)?.computed["vmId"], vmId);
    assert.equal(test.cloud.get(IDS.address)?.computed["ipAddress"], ip);
  });

  describe("when it is broken", () => {
    for (const [fault, part, code] of [
      ["quota", "machine", "OperationNotAllowed"],
      ["size", "machine", "SkuNotAvailable"],
      ["overlap", "network", "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"],
    ] as const) {
      it(`rejects requests during the fault ${fault}`, async () => {
        await test.before(part);
        test.faults = [fault];
        await refused(test.make(part), code);
        test.faults = [];
        await test.make(part);
      });
    }

    it("fails once at a fault of one request", async () => {
      test.faults = ["NetworkInterface:create", "delete-refused"];
      await test.before("nic");
      await refused(test.make("nic"), "InternalExecutionError", 500);
      await test.make("nic");
      await test.make("disk");
      await test.make("machine");
      await refused(test.cloud.remove(IDS.machine), "OperationNotAllowed");
      await test.cloud.remove(IDS.machine);
      assert.deepEqual(test.faults, []);
    });
  });
});

import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { promiseOf, Registered, reset, resources, SUBSCRIPTION_ID } from "../mocks";
import { createAzureHost, OWN_REGISTRY_AND_SCHEDULE } from "./createAzureHost";
import { mockedInOwnFolder } from "./mockedFolder";

const VM = "azure-native:compute:VirtualMachine";
const DISK = "azure-native:compute:Disk";
const SNAPSHOT = "azure-native:compute:Snapshot";
const LOCK = "azure-native:authorization:ManagementLockByScope";
const NIC = "azure-native:network:NetworkInterface";
const SUBNET = "azure-native:network:Subnet";
const NETWORK = "azure-native:network:VirtualNetwork";
const GROUP = "azure-native:resources:ResourceGroup";
const SCHEDULE = "azure-native:devtestlab:GlobalSchedule";
const REGISTRY = "azure-native:containerregistry:Registry";

const SUBNET_ID = `${SUBSCRIPTION_ID}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub/subnets/vms`;

/** Names of the inputs of each Azure resource of a host without options. Another one would change every existing stack. */
const WITHOUT_OPTIONS: Readonly<Record<string, string>> = {
  [GROUP]: "location tags",
  [NETWORK]: "addressSpace enableDdosProtection enableVmProtection location resourceGroupName tags",
  [SUBNET]:
    "addressPrefix defaultOutboundAccess networkSecurityGroup privateEndpointNetworkPolicies privateLinkServiceNetworkPolicies resourceGroupName",
  "azure-native:network:NetworkSecurityGroup": "location resourceGroupName securityRules tags",
  "azure-native:network:PublicIPAddress":
    "dnsSettings location publicIPAddressVersion publicIPAllocationMethod resourceGroupName sku tags",
  [NIC]: "enableAcceleratedNetworking ipConfigurations location resourceGroupName tags",
  [DISK]: "creationData diskSizeGB location resourceGroupName sku tags",
  [VM]: "diagnosticsProfile hardwareProfile location networkProfile osProfile resourceGroupName storageProfile tags vmName",
  [SCHEDULE]:
    "dailyRecurrence location name resourceGroupName status tags targetResourceId taskType timeZoneId",
  [REGISTRY]:
    "adminUserEnabled anonymousPullEnabled location networkRuleBypassOptions publicNetworkAccess registryName resourceGroupName sku tags zoneRedundancy",
  "azure-native:containerregistry:ScopeMap":
    "actions description registryName resourceGroupName scopeMapName",
  "azure-native:containerregistry:Token":
    "registryName resourceGroupName scopeMapId status tokenName",
};

describe("An AzureHost with options", () => {
  mockedInOwnFolder();
  /** Options of the registered resources, by type. */
  const options = new Map<string, pulumi.CustomResourceOptions>();
  beforeEach(() => options.clear());

  function host(args: Partial<AzureHostArgs> = {}): void {
    createAzureHost({ ...OWN_REGISTRY_AND_SCHEDULE, ...args }, options);
  }
  const one = async (type: string): Promise<Registered> => {
    const [found, ...others] = await resources(type);
    assert.ok(found && others.length === 0, `one ${type} was expected`);
    return found;
  };
  const azureTypes = (): string[] =>
    [...options.keys()].filter((type) => /^azure-native:(?!.*(provider|::))/.test(type)).sort();

  it("has the resources and inputs of before without options", async () => {
    host();
    await one(SCHEDULE);
    assert.deepEqual(azureTypes(), Object.keys(WITHOUT_OPTIONS).sort());
    for (const [type, names] of Object.entries(WITHOUT_OPTIONS)) {
      const { inputs } = await one(type);
      const given = Object.keys(inputs).filter((name) => inputs[name] !== undefined);
      assert.equal(given.sort().join(" "), names, type);
    }
    assert.equal(options.get(VM)?.dependsOn, undefined);
    for (const type of azureTypes().filter((type) => type !== GROUP))
      assert.ok(options.get(type)?.deletedWith, `${type} is deleted with another resource`);
  });

  it("adds tags to every resource that can have tags", async () => {
    host({ tags: { costCentre: "retail" }, diskSnapshots: true, dataDiskLock: true });
    await one(SCHEDULE);
    const tags = { costCentre: "retail", project: "store", stack: "test", owner: "store-team" };
    for (const type of azureTypes()) {
      const expected = /Subnet|ScopeMap|Token|Lock/.test(type) ? undefined : tags;
      assert.deepEqual((await one(type)).inputs["tags"], expected, type);
    }
  });

  describe("in an existing resource group", () => {
    it("creates no group, and puts everything into the existing one", async () => {
      host({ resourceGroup: "team-rg", diskSnapshots: true });
      assert.deepEqual(await resources(GROUP), []);
      for (const type of azureTypes())
        assert.equal((await one(type)).inputs["resourceGroupName"], "team-rg", type);
    });

    it("deletes its resources one by one, because Azure doesn't delete them with the group", async () => {
      host({ resourceGroup: "team-rg", diskSnapshots: true, dataDiskLock: true });
      await one(SCHEDULE);
      for (const type of azureTypes()) {
        const isInRegistry = /ScopeMap|Token/.test(type);
        assert.equal(options.get(type)?.deletedWith !== undefined, isInRegistry, type);
      }
    });

    it("has a VM with a name of its own, and still a fixed one", async () => {
      host({ resourceGroup: "team-rg" });
      assert.equal((await one(VM)).inputs["vmName"], "store-test");
    });
  });

  describe("in an existing subnet", () => {
    it("creates no network, and protects its interface by the security group", async () => {
      host({ subnetId: SUBNET_ID });
      const { inputs } = await one(NIC);
      assert.deepEqual([await resources(NETWORK), await resources(SUBNET)], [[], []]);
      assert.deepEqual(inputs["networkSecurityGroup"], { id: "host-id" });
      const [configuration] = inputs["ipConfigurations"] as [Record<string, unknown>];
      assert.deepEqual(configuration["subnet"], { id: SUBNET_ID });
      assert.deepEqual(configuration["publicIPAddress"], { id: "host-id" });
    });
  });

  describe("with a lock on the data disk", () => {
    it("forbids to delete the disk, and lets only the engine remove the lock", async () => {
      host({ dataDiskLock: true });
      const { inputs } = await one(LOCK);
      assert.equal(inputs["scope"], "host-data-id");
      assert.equal(inputs["level"], "CanNotDelete");
      assert.match(String(inputs["notes"]), /\.\/store down test --volumes$/);
      // Azure refuses to delete the group while it contains a locked resource.
      assert.equal(options.get(LOCK)?.deletedWith, undefined);
      assert.notEqual(options.get(LOCK)?.protect, true);
      assert.equal(options.get(DISK)?.protect, true);
    });
  });

  describe("with snapshots of the data disk", () => {
    const triggerOf = async (args: Partial<AzureHostArgs>): Promise<unknown> => {
      reset();
      const registry = {
        address: "r.example",
        namespace: "s",
        push: "user",
        pull: undefined,
      } as const;
      host({ ...args, registry, shutdown: undefined, diskSnapshots: true });
      await one(SNAPSHOT);
      return promiseOf(pulumi.output(options.get(SNAPSHOT)?.replacementTrigger));
    };

    it("takes an incremental copy before the VM is created", async () => {
      host({ diskSnapshots: true });
      const { inputs } = await one(SNAPSHOT);
      assert.deepEqual(inputs["creationData"], {
        createOption: "Copy",
        sourceResourceId: "host-data-id",
      });
      assert.equal(inputs["incremental"], true);
      const [before, ...others] = [options.get(VM)?.dependsOn ?? []].flat();
      assert.ok(pulumi.Resource.isInstance(before) && others.length === 0);
      assert.match(await promiseOf(before.urn), /Snapshot::host-data$/);
    });

    it("has a generated name and no protection, so that the next copy exists before the last one is deleted", async () => {
      host({ diskSnapshots: true });
      assert.equal((await one(SNAPSHOT)).inputs["snapshotName"], undefined);
      const { protect, deleteBeforeReplace } = options.get(SNAPSHOT) ?? {};
      assert.deepEqual([protect, deleteBeforeReplace], [undefined, undefined]);
    });

    it("takes another copy for each change that replaces the VM, and for no other one", async () => {
      const first = await triggerOf({});
      assert.match(String(first), /^[0-9a-f]{64}$/);
      const replacing: readonly Partial<AzureHostArgs>[] = [
        { vmSize: "Standard_D2s_v5" },
        { vmImage: "Debian:debian-13:13-gen2:latest" },
        { docker: { source: "distribution" } },
        { encryptionAtHost: true },
        { loginKey: { public: "ssh-ed25519 OTHER", private: "x" } },
      ];
      for (const change of replacing)
        assert.notEqual(await triggerOf(change), first, JSON.stringify(change));
      const updated: Partial<AzureHostArgs> = {
        dataDiskGiB: 64,
        adminCidrs: ["198.51.100.0/24"],
        tags: { costCentre: "retail" },
        dataDiskLock: true,
        readyMinutes: 20,
      };
      assert.equal(await triggerOf(updated), first);
    });

    it("doesn't put the trigger, which is a hash of the host key as well, among the secrets", async () => {
      host({ diskSnapshots: true });
      await one(SNAPSHOT);
      const trigger = pulumi.output(options.get(SNAPSHOT)?.replacementTrigger);
      assert.equal(await pulumi.isSecret(trigger), false);
    });
  });
});

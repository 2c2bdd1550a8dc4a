import assert from "node:assert/strict";
import { checkShape, checkWords, Problem } from "@store/azure-emulator/arm/check";
import { partsOf, resourceFields } from "@store/azure-emulator/arm/schema";
import { Properties } from "@store/azure-emulator/arm/values";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { IDS } from "../azure-emulator/fixture";
import { refused } from "../azure-emulator/refused";
import { EmulatedAzure } from "./emulatedAzure";
import { mockedInOwnFolder } from "./mockedFolder";

const UBUNTU = "Canonical:ubuntu-24_04-lts:server:latest";
const DEBIAN_13 = "Debian:debian-13:13-gen2:latest";

/**
 * The program's requests against two descriptions: the types in azure-native, which are generated from Microsoft's specifications of the
 * API versions that it sends, and the rules of the emulated Azure Resource Manager.
 */
describe("The requests of an AzureHost", () => {
  let azure: EmulatedAzure;
  mockedInOwnFolder();
  beforeEach(async () => {
    azure = new EmulatedAzure();
    await azure.use();
  });
  afterEach(() => azure.test.dispose());

  const problems = (): string[] =>
    azure.resources.flatMap(({ token, request }) => problemsOf(token, request));

  it("have the names, types and values of Microsoft's descriptions", async () => {
    await azure.deploy({});
    assert.equal(new Set(azure.resources.map(({ token }) => token)).size, 12);
    assert.deepEqual(problems(), []);
  });

  const variants: readonly [what: string, Partial<AzureHostArgs>][] = [
    ["Trusted Launch", { trustedLaunch: true }],
    ["encryption at host", { encryptionAtHost: true }],
    ["a size without accelerated networking", { vmSize: "Standard_B2ms" }],
    ["a size without a temporary disk", { vmSize: "Standard_D2as_v5" }],
    ["a burstable size of the second generation", { vmSize: "Standard_B2as_v2" }],
    ["Debian 13 on a size with NVMe disks", { vmSize: "Standard_D2s_v6", vmImage: DEBIAN_13 }],
  ];
  for (const [what, args] of variants) {
    it(`are accepted with ${what}`, async () => {
      await azure.deploy(args);
      assert.deepEqual(problems(), []);
    });
  }

  it("are accepted with several VMs, and don't change by a refresh", async () => {
    // The workers' security group; an address, an interface, a VM and a schedule of each.
    await azure.deploy({ hosts: 3 }, 12 + 1 + 2 * 4);
    assert.deepEqual(problems(), []);
    assert.deepEqual(azure.planned(), []);
  });

  it("are accepted with Ubuntu 24.04 and Trusted Launch", async () => {
    await azure.deploy({ vmImage: UBUNTU, trustedLaunch: true });
    assert.deepEqual(problems(), []);
  });

  it("are accepted with tags, a lock, a snapshot, and an existing group and subnet", async () => {
    await deployWithOptions();
    assert.deepEqual(problems(), []);
    assert.deepEqual(azure.planned(), []);
  });

  it("create the records of a DNS zone in another group, and delete them before the address", async () => {
    const { cloud } = azure.test;
    const inZone = { resourceGroupName: "dns", zoneName: "example.org", location: "global" };
    await cloud.create("azure-native:resources:ResourceGroup", { ...inZone, location: "uksouth" });
    await cloud.create("azure-native:dns:Zone", inZone);
    const names = ["example.org", "*.shop.example.org"];
    const zone = { name: "example.org", resourceGroupName: "dns", names };
    await azure.deploy({ dnsZone: zone }, 14);
    assert.deepEqual(problems(), []);
    assert.deepEqual(azure.planned(), []);
    const records = azure.resources.filter(({ token }) => token.endsWith(":RecordSet"));
    assert.deepEqual(
      records.map(({ outputs }) => outputs["fqdn"]),
      ["example.org.", "*.shop.example.org."],
    );
    for (const { id } of records) await cloud.remove(id);
    const group = azure.resources.find(({ token }) => token.endsWith(":ResourceGroup"));
    await cloud.remove(group?.id ?? "");
    assert.deepEqual(azure.test.names(), ["dns", "example.org"]);
  });

  it("delete the resources one by one from an existing group, also when the VM is gone", async () => {
    await deployWithOptions();
    const { cloud } = azure.test;
    const vm = azure.resources.find(({ token }) => token.endsWith(":VirtualMachine"));
    await cloud.remove(vm?.id ?? "");
    // Like the engine: dependents first, and not what Azure deletes together with another resource.
    const deleted = [...azure.resources]
      .reverse()
      .filter(({ token }) => azure.options.get(token)?.deletedWith === undefined);
    for (const { id } of deleted) await cloud.remove(id);
    assert.deepEqual(azure.test.names(), ["store", "net", "securityGroup", "subnet"]);
  });

  it("can't delete the data disk, nor its group, before the lock", async () => {
    await azure.deploy({ dataDiskLock: true }, 13);
    const { cloud } = azure.test;
    const idOf = (type: string): string =>
      azure.resources.find(({ token }) => token.endsWith(`:${type}`))?.id ?? "";
    await refused(cloud.remove(idOf("ResourceGroup")), "ScopeLocked", 409);
    await cloud.remove(idOf("VirtualMachine"));
    await refused(cloud.remove(idOf("Disk")), "ScopeLocked", 409);
    await cloud.remove(idOf("ManagementLockByScope"));
    await cloud.remove(idOf("ResourceGroup"));
    assert.deepEqual(azure.test.names(), []);
  });

  /** Deploys a host with all options into a group and a subnet that exist. */
  async function deployWithOptions(args: Partial<AzureHostArgs> = {}): Promise<void> {
    for (const part of ["group", "network", "securityGroup", "subnet"] as const)
      await azure.test.make(part);
    await azure.deploy(
      {
        tags: { costCentre: "retail" },
        resourceGroup: "store",
        subnetId: IDS.subnet,
        dataDiskLock: true,
        diskSnapshots: true,
        ...args,
      },
      11,
    );
  }

  it("would be refused with a wrong name, type or value", () => {
    const count = (body: Properties): number =>
      problemsOf("azure-native:compute:Disk", body).length;
    const good = { resourceGroupName: "g", creationData: { createOption: "Empty" } };
    assert.equal(count(good), 0);
    assert.equal(count({ ...good, diskSizeGb: 32 }), 1);
    assert.equal(count({ ...good, diskSizeGB: "32" }), 1);
    assert.equal(count({ ...good, creationData: { createOption: "empty" } }), 1);
    assert.equal(count({ resourceGroupName: "g" }), 1);
  });
});

/** Returns what a request has against the declared types. Unlike ARM, compares the values of enums with their case. */
function problemsOf(token: string, request: Properties): string[] {
  const fields = resourceFields(...partsOf(token));
  const wrong = checkWords(request, fields, ["hardwareProfile.vmSize"], { exactCase: true });
  const found: Problem[] = [
    ...checkShape(request, fields),
    ...(wrong === undefined ? [] : [wrong]),
  ];
  return found.map(({ path, reason }) => `${token} ${path} ${reason}`);
}

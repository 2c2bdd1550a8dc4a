import assert from "node:assert/strict";
import type { Resource } from "@store/azure-emulator/arm/resourceType";
import { Properties, textAt } from "@store/azure-emulator/arm/values";
import { outputsOf } from "@store/azure-emulator/provider/outputs";
import { Provider } from "@store/azure-emulator/provider/provider";
import { IDS, TestCloud } from "./fixture";
import { refused } from "./refused";

const LOCK = "azure-native:authorization:ManagementLockByScope";
const SNAPSHOT = "azure-native:compute:Snapshot";

describe("The emulated Azure", () => {
  let test: TestCloud;
  beforeEach(() => (test = new TestCloud()));
  afterEach(() => test.dispose());

  const lock = (scope: string, more: Properties = {}): Promise<Resource> =>
    test.cloud.create(LOCK, { scope, lockName: "lock", level: "CanNotDelete", ...more });
  const snapshot = (more: Properties = {}): Promise<Resource> =>
    test.cloud.create(SNAPSHOT, {
      resourceGroupName: "store",
      snapshotName: "copy",
      location: "australiaeast",
      creationData: { createOption: "Copy", sourceResourceId: IDS.disk },
      incremental: true,
      ...more,
    });

  describe("with a lock", () => {
    beforeEach(() => test.all());

    it("gives the lock an ID below that of the locked resource", async () => {
      const { id, computed } = await lock(IDS.disk);
      assert.equal(id, `${IDS.disk}/providers/Microsoft.Authorization/locks/lock`);
      assert.equal(computed["type"], "Microsoft.Authorization/locks");
    });

    it("refuses to delete the locked disk and the group that contains it, but not the VM that uses it", async () => {
      const { id } = await lock(IDS.disk);
      await test.cloud.remove(IDS.machine);
      const message = new RegExp(`cannot perform delete .* locked: '${IDS.disk}'`);
      await refused(test.cloud.remove(IDS.disk), "ScopeLocked", 409, message);
      await refused(test.cloud.remove(IDS.group), "ScopeLocked", 409, message);
      await test.update("disk", "diskSizeGB", 64);
      await test.cloud.remove(id);
      await test.cloud.remove(IDS.disk);
      assert.equal(test.cloud.get(IDS.disk), undefined);
    });

    it("refuses to delete anything in a locked group", async () => {
      await lock(IDS.group);
      await refused(test.cloud.remove(IDS.machine), "ScopeLocked", 409);
    });

    it("refuses to change what is locked by the level ReadOnly", async () => {
      await lock(IDS.disk, { level: "ReadOnly" });
      await refused(test.update("disk", "diskSizeGB", 64), "ScopeLocked", 409, /perform write/);
    });

    it("refuses a lock on nothing, of no level, of an unknown level, and with long notes", async () => {
      await refused(lock(`${IDS.disk}2`), "ResourceNotFound", 404);
      await refused(lock(IDS.disk, { level: "NotSpecified" }), "InvalidLockLevel");
      await refused(lock(IDS.disk, { level: "Never" }), "InvalidParameter");
      await refused(lock(IDS.disk, { notes: "x".repeat(513) }), "InvalidLockNotes");
    });

    it("deletes what is locked in the portal together with its locks", async () => {
      await lock(IDS.disk);
      await test.cloud.removeInPortal(IDS.group);
      assert.deepEqual(test.names(), []);
    });

    it("refuses the lock while the login may not create one", async () => {
      test.faults = ["locks-forbidden"];
      await refused(lock(IDS.disk), "AuthorizationFailed", 403, /Authorization\/locks\/write/);
    });
  });

  describe("with a snapshot", () => {
    beforeEach(() => test.all());

    it("copies the disk's size, and keeps it when the disk grows or is deleted", async () => {
      await snapshot();
      await test.update("disk", "diskSizeGB", 64);
      await test.cloud.remove(IDS.machine);
      await test.cloud.remove(IDS.disk);
      const [found] = test.cloud.all(SNAPSHOT);
      assert.ok(found);
      const outputs = outputsOf(found, test.cloud);
      assert.equal(outputs["diskSizeGB"], 32);
      assert.equal(textAt(outputs, "sku.name"), "Standard_LRS");
      assert.equal(outputs["incremental"], true);
      // Only the tags of a snapshot change.
      await test.cloud.update(SNAPSHOT, { ...found.properties, tags: { a: "b" } });
    });

    it("refuses a copy of nothing, of a missing disk, and in another region", async () => {
      const copyOf = (sourceResourceId?: string): Properties => ({
        creationData: { createOption: "Copy", sourceResourceId },
      });
      await refused(snapshot(copyOf()), "InvalidParameter", 400);
      await refused(snapshot(copyOf(`${IDS.disk}2`)), "ResourceNotFound", 404);
      await refused(snapshot({ location: "uksouth" }), "InvalidParameter", 400, /same location/);
    });

    it("refuses to change its source", async () => {
      const { properties } = await snapshot();
      await refused(
        test.cloud.update(SNAPSHOT, { ...properties, incremental: false }),
        "PropertyChangeNotAllowed",
        409,
      );
    });
  });

  describe("asked for a resource", () => {
    it("returns an existing resource group and network, and Azure's error for a missing one", async () => {
      const provider = new Provider(test.cloud, () => []);
      const group = { resourceGroupName: "store" };
      const read = (name: string, args: Properties): Properties =>
        provider.invoke(`azure-native:${name}`, args);
      assert.throws(() => read("resources:getResourceGroup", group), /ResourceGroupNotFound/);
      for (const part of ["group", "network", "securityGroup", "subnet"] as const)
        await test.make(part);
      assert.equal(read("resources:getResourceGroup", group)["location"], "australiaeast");
      const network = { ...group, virtualNetworkName: "net" };
      const found = read("network:getVirtualNetwork", network);
      assert.equal(found["id"], IDS.network);
      assert.equal(textAt(found, "subnets.0.id"), IDS.subnet);
      assert.throws(
        () => read("network:getVirtualNetwork", { ...network, virtualNetworkName: "other" }),
        /"ResourceNotFound"/,
      );
    });
  });
});

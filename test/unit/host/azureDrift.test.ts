import assert from "node:assert/strict";
import { EmulatedAzure } from "./emulatedAzure";
import { mockedInOwnFolder } from "./mockedFolder";

/**
 * The program's options against the drift of the emulated Azure, without an engine: what a refresh copies into the state must be in
 * ignoreChanges, or the next `up` changes it, and must not replace anything.
 */
describe("An AzureHost after a refresh", () => {
  let azure: EmulatedAzure;
  mockedInOwnFolder();
  beforeEach(async () => {
    azure = new EmulatedAzure();
    await azure.use();
    await azure.deploy({});
  });
  afterEach(() => azure.test.dispose());

  const vm = (): string => {
    const found = azure.resources.find(({ token }) => token.endsWith(":VirtualMachine"));
    assert.ok(found);
    return found.id;
  };

  it("plans nothing while nothing has changed", () => assert.deepEqual(azure.planned(), []));

  it("plans nothing for what policies have changed", () => {
    azure.test.cloud.touchMachines();
    assert.deepEqual(azure.planned(), []);
  });

  it("plans nothing while the VM is deallocated, nor when it runs again", async () => {
    await azure.test.cloud.setPower(vm(), "deallocated");
    assert.deepEqual(azure.planned(), []);
    await azure.test.cloud.setPower(vm(), "running");
    assert.deepEqual(azure.planned(), []);
  });

  it("plans nothing for the VM after its data disk has grown", async () => {
    const disk = azure.resources.find(({ token }) => token.endsWith(":Disk"));
    assert.ok(disk);
    await azure.test.cloud.update(disk.token, { ...disk.inputs, diskSizeGB: 64 });
    assert.deepEqual(
      azure.planned().filter(({ token }) => token.endsWith(":VirtualMachine")),
      [],
    );
  });

  it("plans an update, not a replacement, for tags changed in the portal", async () => {
    const [group] = azure.resources;
    assert.ok(group);
    await azure.test.cloud.update(group.token, { ...group.inputs, tags: {} });
    const planned = azure.planned();
    assert.deepEqual(planned.map(({ path }) => path).sort(), [
      "tags.owner",
      "tags.project",
      "tags.stack",
    ]);
    assert.ok(planned.every(({ replaces }) => !replaces));
  });
});

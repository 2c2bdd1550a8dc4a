import assert from "node:assert/strict";
import { FAULTS, isFault, phaseOf } from "@store/azure-emulator/arm/faults";
import { textAt } from "@store/azure-emulator/arm/values";
import { Provider } from "@store/azure-emulator/provider/provider";
import { PartialFailure } from "@store/azure-emulator/provider/partialFailure";
import { IDS, Part, STAGING, TestCloud } from "./fixture";
import { refused } from "./refused";

const NEVER = new AbortController().signal;

describe("A fault of the emulated Azure", () => {
  let test: TestCloud;
  let provider: Provider;
  beforeEach(() => {
    test = new TestCloud();
    provider = new Provider(test.cloud, () => test.faults);
  });
  afterEach(() => test.dispose());

  const create = (part: Part): Promise<{ outputs: unknown }> =>
    provider.create(STAGING[part][0], STAGING[part][1], NEVER);
  const failure = async (request: Promise<unknown>): Promise<PartialFailure> => {
    const error = await request.then(
      () => assert.fail("The request succeeded."),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof PartialFailure, String(error));
    return error;
  };

  const refusals: readonly [fault: string, Part, code: string, status: number, message: RegExp][] =
    [
      ["policy", "address", "RequestDisallowedByPolicy", 403, /was disallowed by policy/],
      ["policy", "machine", "RequestDisallowedByPolicy", 403, /'vm' was disallowed by policy/],
      ["throttled", "network", "SubscriptionRequestsThrottled", 429, /try again/],
      ["overlap", "network", "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", 400, /overlaps/],
      ["quota", "machine", "OperationNotAllowed", 409, /standardDSv2Family Cores quota/],
      ["regional-quota", "machine", "OperationNotAllowed", 409, /Total Regional Cores quota/],
      ["size", "machine", "SkuNotAvailable", 409, /not available/],
      ["nic-reserved", "machine", "NicReservedForAnotherVm", 400, /180 seconds/],
    ];
  for (const [fault, part, code, status, message] of refusals) {
    it(`${fault} refuses a ${part} until it is cleared`, async () => {
      await test.before(part);
      test.faults = [fault];
      await refused(create(part), code, status, message);
      await refused(create(part), code, status, message);
      test.faults = [];
      await create(part);
    });
  }

  it("encryption-at-host refuses only a VM that asks for it", async () => {
    await test.before("machine");
    test.faults = ["encryption-at-host"];
    await refused(
      test.make("machine", "securityProfile", { encryptionAtHost: true }),
      "InvalidParameter",
      400,
      /'Microsoft.Compute\/EncryptionAtHost' feature is not enabled/,
    );
    await create("machine");
  });

  it("lock refuses to delete the data disk and its group, but nothing else", async () => {
    await test.all();
    test.faults = ["lock"];
    await test.cloud.remove(IDS.machine);
    await refused(test.cloud.remove(IDS.disk), "ScopeLocked", 409, /remove the lock/);
    await refused(test.cloud.remove(IDS.group), "ScopeLocked", 409, /disks\/data/);
    await test.update("disk", "tags", { owner: "you" });
    test.faults = [];
    await test.cloud.remove(IDS.group);
    assert.deepEqual(test.names(), []);
  });

  it("allocation leaves a failed VM, which the next update boots", async () => {
    await test.before("machine");
    test.faults = ["allocation"];
    const { id, outputs, inputs, message } = await failure(create("machine"));
    assert.equal(id, IDS.machine);
    assert.equal(textAt(outputs, "provisioningState"), "Failed");
    assert.equal(inputs["vmName"], "vm");
    assert.match(message, /ERROR CODE: AllocationFailed\n/);
    assert.deepEqual(test.real, []);
    await failure(provider.update(...STAGING.machine, NEVER));
    test.faults = [];
    const updated = await provider.update(...STAGING.machine, NEVER);
    assert.equal(updated["provisioningState"], "Succeeded");
    assert.deepEqual(test.real, ["boot vm"]);
  });

  it("os-provisioning leaves a failed VM, which only a replacement fixes", async () => {
    await test.before("machine");
    test.faults = ["os-provisioning"];
    const { message } = await failure(create("machine"));
    assert.match(message, /ERROR CODE: OSProvisioningTimedOut\n/);
    assert.deepEqual(test.real, ["boot vm"]);
    test.faults = [];
    await failure(provider.update(...STAGING.machine, NEVER));
    assert.equal(test.cloud.get(IDS.machine)?.computed["provisioningState"], "Failed");
    await test.cloud.remove(IDS.machine);
    await create("machine");
    assert.equal(test.cloud.get(IDS.machine)?.computed["provisioningState"], "Succeeded");
  });

  it("is listed with its command, unless it is one of one request", () => {
    assert.equal(phaseOf("lock"), "down");
    assert.equal(phaseOf("policy"), "up");
    assert.equal(phaseOf("azure-touches"), "running");
    assert.equal(phaseOf("deallocated"), "running");
    assert.equal(phaseOf("Disk:remove"), "down");
    assert.ok(isFault("Disk:remove", [STAGING.disk[0]]));
    assert.ok(Object.keys(FAULTS).every((fault) => isFault(fault, [])));
    assert.ok(!isFault("earthquake", []));
  });
});

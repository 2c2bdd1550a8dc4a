import assert from "node:assert/strict";
import { renderReplacedVm } from "@store/cli/host/replacedVm";
import { previewEvents, type TestStep } from "./reviews";

describe("renderReplacedVm", () => {
  const vm: TestStep = {
    ...{ op: "replace", type: "azure-native:compute:VirtualMachine", name: "host" },
    ...{ before: {}, after: {}, diff: ["hardwareProfile.vmSize"] },
  };

  it("says why the VM is replaced, for how long, and what stays", () => {
    assert.equal(
      renderReplacedVm(previewEvents(vm)),
      "The virtual machine host is replaced because of hardwareProfile.vmSize: the store is offline for about 10 min. " +
        "Its address and the data disk stay.",
    );
  });

  it("gives no reason for a VM that is marked to be replaced", () => {
    assert.match(
      renderReplacedVm(previewEvents({ ...vm, diff: [] })) ?? "",
      /^The virtual machine host is replaced: /,
    );
  });

  it("is undefined if the VM is created, updated or stays", () => {
    for (const op of ["create", "update", "same"])
      assert.equal(renderReplacedVm(previewEvents({ ...vm, op })), undefined);
  });
});

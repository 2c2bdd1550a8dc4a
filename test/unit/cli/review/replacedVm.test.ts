import assert from "node:assert/strict";
import { renderReplacedVms } from "@store/cli/host/replacedVm";
import { previewEvents, summaryOf, type TestStep } from "./reviews";

describe("renderReplacedVms", () => {
  const vm: TestStep = {
    ...{ op: "replace", type: "azure-native:compute:VirtualMachine", name: "host" },
    ...{ before: {}, after: {}, diff: ["hardwareProfile.vmSize"] },
  };

  it("says why the VM is replaced, for how long, and what stays", () => {
    assert.equal(
      renderReplacedVms(previewEvents(vm)),
      "The virtual machine host is replaced because of hardwareProfile.vmSize: the store is offline for about 10 min. " +
        "Its address and the data disk stay.",
    );
  });

  it("names only the properties for which it is replaced", () => {
    const diff = ["tags.owner", "hardwareProfile.vmSize"];
    const events = previewEvents({ ...vm, diff, causes: ["hardwareProfile.vmSize"] });
    assert.match(renderReplacedVms(events) ?? "", /because of hardwareProfile\.vmSize: /);
  });

  it("gives no reason for a VM that is marked to be replaced", () => {
    assert.match(
      renderReplacedVms(previewEvents({ ...vm, diff: [] })) ?? "",
      /^The virtual machine host is replaced: /,
    );
  });

  it("says of a worker that the store goes on", () => {
    assert.equal(
      renderReplacedVms(previewEvents({ ...vm, name: "worker-1" })),
      "The virtual machine worker-1 is replaced because of hardwareProfile.vmSize: its instances run on the other machines meanwhile.",
    );
  });

  it("is undefined if the VM is created, updated or stays", () => {
    for (const op of ["create", "update", "same"])
      assert.equal(renderReplacedVms(previewEvents({ ...vm, op })), undefined);
  });
});

describe("a replaced VM in a review", () => {
  it("doesn't interrupt the store if it is a worker's", () => {
    const step = { type: "azure-native:compute:VirtualMachine", before: {}, after: {} };
    const { markdown } = summaryOf({
      events: previewEvents(
        { ...step, op: "replace", name: "worker-1", diff: ["location"] },
        { ...step, op: "delete", name: "worker-2" },
      ),
    });
    assert.equal(markdown.match(/none with another worker/g)?.length, 2);
    assert.doesNotMatch(markdown, /offline|10 min|virtual machine replaced/);
  });

  const vm = (...causes: readonly string[]): string =>
    summaryOf({
      events: previewEvents({
        ...{ op: "replace", type: "azure-native:compute:VirtualMachine", name: "host" },
        ...{ before: {}, after: {}, diff: [...causes, "location"], causes },
      }),
    }).markdown;

  it("has the paths for which it is replaced, without values", () => {
    assert.match(
      vm("osProfile.customData", "networkProfile.networkInterfaces[0].primary"),
      /\*\*replace\*\* because of `networkProfile\.networkInterfaces\.primary`, `osProfile\.customData` \|/,
    );
  });

  it("has no name that isn't a known property's", () => {
    const text = vm('tags["hunter2"]', "osProfile.hunter2", "hunter2");
    assert.match(text, /because of a property that isn't shown, `osProfile`, `tags` \|/);
    assert.doesNotMatch(text, /hunter2/);
  });
});

import assert from "node:assert/strict";
import { Provider } from "@store/azure-emulator/provider/provider";
import { textAt, UNKNOWN, Value } from "@store/azure-emulator/arm/values";
import { changed, IDS, STAGING, TestCloud } from "./fixture";

const URN = "urn:pulumi:staging::store::azure-native:x:X::host";
const NEVER = new AbortController().signal;

describe("The emulated provider azure-native", () => {
  let test: TestCloud;
  let provider: Provider;
  beforeEach(() => {
    test = new TestCloud();
    provider = new Provider(test.cloud, () => test.faults);
  });
  afterEach(() => test.dispose());

  it("accepts the staging stack's inputs", () => {
    for (const [token, properties] of Object.values(STAGING)) {
      assert.deepEqual(provider.check(token, URN, {}, properties).problems, [], token);
    }
  });

  const problems: readonly [string, Value | undefined, string][] = [
    ["hardwareProfile.size", "Standard_DS2_v2", "hardwareProfile.size is not a property"],
    ["hardwareProfile", "Standard_DS2_v2", "hardwareProfile should be an object"],
    [
      "osProfile.linuxConfiguration.disablePasswordAuthentication",
      "yes",
      "disablePasswordAuthentication should be a boolean",
    ],
    [
      "storageProfile.osDisk.createOption",
      undefined,
      "storageProfile.osDisk.createOption is required",
    ],
    ["storageProfile.dataDisks.0.lun", "0", "storageProfile.dataDisks[0].lun should be a number"],
    ["networkProfile.networkInterfaces", {}, "networkProfile.networkInterfaces should be a list"],
    ["tags", { owner: 1 }, "tags.owner should be a string"],
    ["resourceGroupName", undefined, "resourceGroupName is required"],
  ];
  for (const [path, value, expected] of problems) {
    it(`reports in the preview: ${expected}`, () => {
      const [token, machine] = STAGING.machine;
      const found = provider.check(token, URN, {}, changed(machine, path, value)).problems;
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.ok(`${found[0]?.path} ${found[0]?.reason}`.includes(expected), JSON.stringify(found));
    });
  }

  it("doesn't validate unknown values", () => {
    const [token, machine] = STAGING.machine;
    for (const path of [
      "osProfile.customData",
      "resourceGroupName",
      "networkProfile.networkInterfaces.0.id",
    ]) {
      assert.deepEqual(
        provider.check(token, URN, {}, changed(machine, path, UNKNOWN)).problems,
        [],
      );
    }
  });

  it("generates a missing name once", () => {
    const first = provider.check(
      "azure-native:network:VirtualNetwork",
      URN,
      {},
      { resourceGroupName: "g" },
    ).inputs;
    assert.match(textAt(first, "virtualNetworkName"), /^host[0-9a-f]{8}$/);
    const second = provider.check("azure-native:network:VirtualNetwork", URN, first, {
      resourceGroupName: "g",
    }).inputs;
    assert.equal(second["virtualNetworkName"], first["virtualNetworkName"]);
  });

  it("uses the provider's location, otherwise the resource group's", async () => {
    await test.make("group");
    const where = (): unknown =>
      provider.check("azure-native:network:VirtualNetwork", URN, {}, { resourceGroupName: "store" })
        .inputs["location"];
    assert.equal(where(), "australiaeast");
    provider.configure({ location: "uksouth" });
    assert.equal(where(), "uksouth");
  });

  it("plans like the published provider: an update that ARM will reject, and a replacement for another location", () => {
    const [token, machine] = STAGING.machine;
    const diff = (path: string, value: Value) =>
      provider.diff(token, machine, changed(machine, path, value));
    assert.deepEqual(diff("osProfile.customData", "eA=="), {
      changed: ["osProfile.customData"],
      replacing: [],
    });
    assert.deepEqual(diff("location", "uksouth"), {
      changed: ["location"],
      replacing: ["location"],
    });
    assert.deepEqual(provider.diff(token, machine, { ...machine }), { changed: [], replacing: [] });
  });

  it("reads resources, including changes and deletions outside of Pulumi", async () => {
    await test.all();
    const [token, securityGroup] = STAGING.securityGroup;
    assert.deepEqual(provider.read(IDS.securityGroup, token, securityGroup)?.inputs, securityGroup);
    await test.update("securityGroup", "securityRules", []);
    assert.deepEqual(
      provider.read(IDS.securityGroup, token, securityGroup)?.inputs["securityRules"],
      [],
    );
    await test.cloud.remove(IDS.machine);
    assert.equal(provider.read(IDS.machine, STAGING.machine[0], {}), undefined);
  });

  it("rejects a configuration without a login or with an unknown subscription", () => {
    test.faults = ["login"];
    assert.throws(() => provider.configure({}), /az login/);
    test.faults = [];
    assert.throws(
      () => provider.configure({ subscriptionId: "11111111-1111-4111-8111-111111111111" }),
      /SubscriptionNotFound/,
    );
    provider.configure({});
  });

  it("rejects unknown configuration keys", () => {
    assert.equal(provider.checkConfig({ region: "australiaeast" }).length, 1);
    assert.deepEqual(provider.checkConfig({ location: "australiaeast", subscriptionId: "x" }), []);
  });

  it("names unsupported types and functions", async () => {
    const token = "azure-native:storage:StorageAccount";
    await assert.rejects(provider.create(token, {}, NEVER), /StorageAccount/);
    assert.throws(() => provider.invoke("azure-native:storage:listKeys"), /listKeys/);
  });

  it("stops when the engine cancels", async () => {
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(provider.create(...STAGING.group, stop.signal));
    assert.deepEqual(test.names(), []);
  });
});

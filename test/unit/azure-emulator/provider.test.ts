import assert from "node:assert/strict";
import { Provider } from "@store/azure-emulator/provider/provider";
import { textAt, UNKNOWN, Value } from "@store/azure-emulator/arm/values";
import { changed, IDS, STAGING, TestCloud } from "./fixture";

const URN = "urn:pulumi:staging::store::azure-native:x:X::host";
const NEVER = new AbortController().signal;

describe("The stand-in provider azure-native", () => {
  let test: TestCloud;
  let provider: Provider;
  beforeEach(() => {
    test = new TestCloud();
    provider = new Provider(test.cloud, () => test.faults);
  });
  afterEach(() => test.dispose());

  it("finds nothing wrong with the staging stack", () => {
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
    it(`says in the preview: ${expected}`, () => {
      const [token, machine] = STAGING.machine;
      const found = provider.check(token, URN, {}, changed(machine, path, value)).problems;
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.ok(`${found[0]?.path} ${found[0]?.reason}`.includes(expected), JSON.stringify(found));
    });
  }

  it("judges nothing that isn't known yet", () => {
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

  it("names what has no name, and keeps the name", () => {
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

  it("puts things into the provider's region, else into their group's", async () => {
    await test.make("group");
    const where = (): unknown =>
      provider.check("azure-native:network:VirtualNetwork", URN, {}, { resourceGroupName: "store" })
        .inputs["location"];
    assert.equal(where(), "australiaeast");
    provider.configure({ location: "uksouth" });
    assert.equal(where(), "uksouth");
  });

  it("plans an update where ARM will refuse one, as the published provider does, and a replacement for another place", () => {
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

  it("reads what is there, and sees what was deleted or changed by hand", async () => {
    await test.all();
    const [token, wall] = STAGING.wall;
    assert.deepEqual(provider.read(IDS.wall, token, wall)?.inputs, wall);
    await test.update("wall", "securityRules", []);
    assert.deepEqual(provider.read(IDS.wall, token, wall)?.inputs["securityRules"], []);
    await test.cloud.remove(IDS.machine);
    assert.equal(provider.read(IDS.machine, STAGING.machine[0], {}), undefined);
  });

  it("refuses without a login, and another subscription than the login's", () => {
    test.faults = ["login"];
    assert.throws(() => provider.configure({}), /az login/);
    test.faults = [];
    assert.throws(
      () => provider.configure({ subscriptionId: "11111111-1111-4111-8111-111111111111" }),
      /SubscriptionNotFound/,
    );
    provider.configure({});
  });

  it("refuses configuration that the published provider doesn't have", () => {
    assert.equal(provider.checkConfig({ region: "australiaeast" }).length, 1);
    assert.deepEqual(provider.checkConfig({ location: "australiaeast", subscriptionId: "x" }), []);
  });

  it("refuses types and functions that it doesn't have by their names", async () => {
    const token = "azure-native:storage:StorageAccount";
    await assert.rejects(provider.create(token, {}, NEVER), /StorageAccount is not among/);
    assert.throws(() => provider.invoke("azure-native:storage:listKeys"), /listKeys/);
  });

  it("stops when the engine asks it to", async () => {
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(provider.create(...STAGING.group, stop.signal));
    assert.deepEqual(test.names(), []);
  });
});

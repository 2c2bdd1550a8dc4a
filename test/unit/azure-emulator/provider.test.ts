import assert from "node:assert/strict";
import { Provider } from "@store/azure-emulator/provider/provider";
import { at, Properties, textAt, UNKNOWN, Value } from "@store/azure-emulator/arm/values";
import { changed, IDS, Part, STAGING, TestCloud } from "./fixture";

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

  it("overlooks unknown properties, and doesn't send them", async () => {
    const [token, group] = STAGING.group;
    const { inputs, problems } = provider.check(token, URN, {}, { ...group, colour: "red" });
    assert.deepEqual(problems, []);
    assert.equal(inputs["colour"], "red");
    await provider.create(token, inputs, NEVER);
    assert.equal(test.cloud.get(IDS.group)?.properties["colour"], undefined);
  });

  it("keeps the location in the state, whatever the configuration says now", () => {
    provider.configure({ location: "uksouth" });
    const { inputs } = provider.check(
      "azure-native:network:VirtualNetwork",
      URN,
      { location: "australiaeast" },
      { resourceGroupName: "store" },
    );
    assert.equal(inputs["location"], "australiaeast");
  });

  describe("plans like the published provider", () => {
    const [token, machine] = STAGING.machine;
    const plan = (part: Part, path: string, value: Value | undefined): unknown[] => {
      const [type, inputs] = STAGING[part];
      return provider
        .diff(type, inputs, changed(inputs, path, value))
        .changes.map((change) => [change.path, change.kind, change.replaces]);
    };
    const plans: readonly [what: string, Part, string, Value | undefined, unknown[]][] = [
      [
        "an update that ARM will reject",
        "machine",
        "osProfile.customData",
        "eA==",
        ["osProfile.customData", "update", false],
      ],
      [
        "a replacement for another location",
        "machine",
        "location",
        "uksouth",
        ["location", "update", true],
      ],
      [
        "an added object as one change",
        "machine",
        "securityProfile",
        { encryptionAtHost: true },
        ["securityProfile", "add", false],
      ],
      [
        "a removed property",
        "machine",
        "osProfile.customData",
        undefined,
        ["osProfile.customData", "delete", false],
      ],
      [
        "a replacement for another kind of address",
        "address",
        "sku.name",
        "Basic",
        ["sku.name", "update", true],
      ],
      [
        "an added version of the address as a replacement",
        "address",
        "publicIPAddressVersion",
        "IPv6",
        ["publicIPAddressVersion", "add", true],
      ],
      [
        "a removed element of a list",
        "securityGroup",
        "securityRules",
        [STAGING.securityGroup[1].securityRules[0]],
        ["securityRules[1]", "delete", false],
      ],
    ];
    for (const [what, part, path, value, expected] of plans)
      it(what, () => assert.deepEqual(plan(part, path, value), [expected]));

    it("no change for another spelling of the location", () =>
      assert.deepEqual(plan("machine", "location", "Australia East"), []));

    it("a deletion before the replacement, unless the name is generated", () => {
      const moved = (inputs: Properties): boolean =>
        provider.diff(token, inputs, { ...inputs, location: "uksouth" }).deleteBeforeReplace;
      assert.equal(moved(machine), true);
      const generated = provider.check(token, URN, {}, { ...machine, vmName: undefined }).inputs;
      assert.equal(moved(generated), false);
      const again = provider.check(token, URN, generated, { ...machine, vmName: undefined }).inputs;
      assert.deepEqual(again, generated);
      assert.equal(moved(again), false);
    });
  });

  it("previews all outputs that aren't inputs as unknown, also within objects", () => {
    const [token, address] = STAGING.address;
    const preview = provider.preview(token, address, {});
    assert.equal(preview["ipAddress"], UNKNOWN);
    assert.equal(at(preview, "dnsSettings.domainNameLabel"), "store-test");
    assert.equal(at(preview, "dnsSettings.fqdn"), UNKNOWN);
  });

  it("previews the name and the location of an existing resource as known", () => {
    const [token, address] = STAGING.address;
    const known = { name: "address", location: "australiaeast", ipAddress: "127.77.1.1" };
    const preview = provider.preview(token, address, known);
    assert.equal(preview["name"], "address");
    assert.equal(preview["location"], "australiaeast");
    assert.equal(preview["ipAddress"], UNKNOWN);
  });

  it("reads nothing for a resource that was deleted outside of Pulumi", async () => {
    await test.all();
    await test.cloud.remove(IDS.machine);
    assert.equal(provider.read(IDS.machine, STAGING.machine[0], {}, {}), undefined);
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
    assert.throws(() => provider.invoke("azure-native:storage:listKeys", {}), /listKeys/);
  });

  it("stops when the engine cancels", async () => {
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(provider.create(...STAGING.group, stop.signal));
    assert.deepEqual(test.names(), []);
  });
});

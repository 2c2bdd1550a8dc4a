import assert from "node:assert/strict";
import { typeOf } from "@store/azure-emulator/arm/catalogue";
import { checkShape } from "@store/azure-emulator/arm/check";
import { outputFields, partsOf } from "@store/azure-emulator/arm/schema";
import { at, Properties, textAt } from "@store/azure-emulator/arm/values";
import { Provider } from "@store/azure-emulator/provider/provider";
import { changed, IDS, Part, STAGING, TestCloud } from "./fixture";

const URN = "urn:pulumi:staging::store::azure-native:x:X::host";
const NEVER = new AbortController().signal;

/** The resources as the engine's state has them: with checked inputs, and the outputs of the creation. */
interface State {
  readonly id: string;
  readonly token: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

describe("A resource read from the emulated Azure", () => {
  let test: TestCloud;
  let provider: Provider;
  let states: Map<string, State>;
  beforeEach(async () => {
    test = new TestCloud();
    provider = new Provider(test.cloud, () => test.faults);
    states = new Map();
    for (const [part, [token, asked]] of Object.entries(STAGING)) {
      const request =
        part === "machine"
          ? changed(
              changed(asked, "storageProfile.osDisk.managedDisk", {
                storageAccountType: "StandardSSD_LRS",
              }),
              "storageProfile.osDisk.deleteOption",
              "Delete",
            )
          : asked;
      const { inputs, problems } = provider.check(token, URN, {}, request);
      assert.deepEqual(problems, []);
      const { id, outputs } = await provider.create(token, inputs, NEVER);
      states.set(part, { id, token, inputs, outputs });
    }
  });
  afterEach(() => test.dispose());

  const stateOf = (part: Part): State => {
    const state = states.get(part);
    assert.ok(state);
    return state;
  };
  /** Refreshes a resource, like the engine: the state gets the new inputs and outputs. */
  const refresh = (part: Part): State => {
    const state = stateOf(part);
    const read = provider.read(state.id, state.token, state.inputs, state.outputs);
    assert.ok(read, `${part} is gone`);
    const refreshed = { ...state, ...read };
    states.set(part, refreshed);
    return refreshed;
  };
  /** Paths that an `up` of the unchanged program would change after a refresh. */
  const drift = (part: Part): string[] => {
    const { inputs: before, token } = stateOf(part);
    return provider.diff(token, refresh(part).inputs, before).changes.map(({ path }) => path);
  };

  it("has the types that azure-native declares", () => {
    for (const [part, { token, outputs }] of states) {
      const wrong = checkShape(outputs, outputFields(...partsOf(token)));
      // Azure leaves out what a resource doesn't use, though it is declared as always there.
      assert.deepEqual(
        wrong.filter(({ kind }) => kind !== "missing"),
        [],
        part,
      );
    }
  });

  it("lacks the names in its path, and what Azure never returns", () => {
    const { outputs } = stateOf("machine");
    assert.equal(outputs["resourceGroupName"], undefined);
    assert.equal(outputs["vmName"], undefined);
    assert.equal(at(outputs, "osProfile.customData"), undefined);
    assert.equal(outputs["name"], "vm");
  });

  const defaults: readonly [Part, string, unknown][] = [
    ["machine", "osProfile.allowExtensionOperations", true],
    ["machine", "osProfile.secrets", []],
    ["machine", "osProfile.linuxConfiguration.patchSettings.assessmentMode", "ImageDefault"],
    ["machine", "osProfile.linuxConfiguration.provisionVMAgent", true],
    ["machine", "storageProfile.osDisk.osType", "Linux"],
    ["machine", "storageProfile.osDisk.caching", "ReadWrite"],
    ["machine", "storageProfile.osDisk.diskSizeGB", 30],
    ["machine", "storageProfile.dataDisks.0.diskSizeGB", 32],
    ["machine", "storageProfile.diskControllerType", "SCSI"],
    ["disk", "networkAccessPolicy", "AllowAll"],
    ["disk", "encryption.type", "EncryptionAtRestWithPlatformKey"],
    ["address", "publicIPAddressVersion", "IPv4"],
    ["address", "idleTimeoutInMinutes", 4],
    ["nic", "enableAcceleratedNetworking", false],
    ["nic", "ipConfigurations.0.primary", true],
    ["securityGroup", "securityRules.0.destinationPortRanges", []],
    ["subnet", "privateEndpointNetworkPolicies", "Disabled"],
    ["network", "enableDdosProtection", false],
  ];
  for (const [part, path, value] of defaults) {
    it(`has Azure's default for ${path} of a ${part}`, () =>
      assert.deepEqual(at(stateOf(part).outputs, path), value));
  }

  it("has the exact version of the image and the OS disk's name", () => {
    const { outputs } = stateOf("machine");
    assert.match(textAt(outputs, "storageProfile.imageReference.exactVersion"), /^0\.20\d{6}\./);
    assert.match(textAt(outputs, "storageProfile.osDisk.name"), /^vm_OsDisk_1_/);
  });

  it("shows no change while nothing has changed in Azure", () => {
    for (const part of Object.keys(STAGING) as Part[]) {
      assert.deepEqual(drift(part), [], part);
      assert.deepEqual(drift(part), [], part);
    }
  });

  it("shows what other resources have added, but not as an input", () => {
    const { inputs, outputs } = refresh("network");
    assert.equal(textAt(outputs, "subnets.0.id"), IDS.subnet);
    assert.equal(inputs["subnets"], undefined);
    assert.equal(textAt(refresh("disk").outputs, "managedBy"), IDS.machine);
    assert.equal(textAt(refresh("nic").outputs, "virtualMachine.id"), IDS.machine);
    assert.equal(textAt(refresh("securityGroup").outputs, "subnets.0.id"), IDS.subnet);
  });

  it("copies a change made in the portal into the inputs, and nothing else", async () => {
    await test.update("securityGroup", "securityRules.1.access", "Deny");
    const { inputs } = stateOf("securityGroup");
    assert.deepEqual(
      refresh("securityGroup").inputs,
      changed(inputs, "securityRules.1.access", "Deny"),
    );
  });

  it("copies an added and a removed property into the inputs", async () => {
    await test.update("address", "tags", { owner: "them" });
    assert.deepEqual(refresh("address").inputs["tags"], { owner: "them" });
    await test.update("address", "tags", undefined);
    assert.equal(refresh("address").inputs["tags"], undefined);
  });

  it("has the update settings and the identity that Azure's policies set", () => {
    test.cloud.touchMachines();
    assert.deepEqual(drift("machine"), ["osProfile.linuxConfiguration.patchSettings", "identity"]);
    assert.deepEqual(drift("machine"), []);
  });

  it("lacks the OS disk's type and size while the VM is deallocated, and has both again afterwards", async () => {
    await test.cloud.setPower(IDS.machine, "deallocated");
    assert.deepEqual(drift("machine"), ["storageProfile.osDisk.managedDisk.storageAccountType"]);
    assert.equal(at(stateOf("machine").outputs, "storageProfile.osDisk.diskSizeGB"), undefined);
    await test.cloud.setPower(IDS.machine, "running");
    refresh("machine");
    assert.equal(at(stateOf("machine").inputs, "storageProfile.osDisk.diskSizeGB"), 30);
    assert.equal(
      at(stateOf("machine").inputs, "storageProfile.osDisk.managedDisk.storageAccountType"),
      "StandardSSD_LRS",
    );
    assert.deepEqual(test.real.slice(-2), ["power off vm", "power on vm"]);
  });

  it("accepts an update with the values that a refresh has copied", async () => {
    test.cloud.touchMachines();
    await test.cloud.setPower(IDS.machine, "deallocated");
    refresh("machine");
    await test.cloud.setPower(IDS.machine, "running");
    const { token, inputs } = refresh("machine");
    const outputs = await provider.update(token, { ...inputs, tags: { owner: "you" } }, NEVER);
    assert.equal(
      at(outputs, "osProfile.linuxConfiguration.patchSettings.assessmentMode"),
      "AutomaticByPlatform",
    );
  });

  it("can be imported without inputs", () => {
    const { id, token, outputs } = stateOf("subnet");
    const read = provider.read(id, token, {}, {});
    assert.ok(read);
    assert.equal(read.inputs["subnetName"], "subnet");
    assert.equal(read.inputs["addressPrefix"], "10.20.1.0/24");
    assert.equal(read.inputs["provisioningState"], undefined);
    assert.deepEqual(Object.keys(read.outputs).sort(), Object.keys(outputs).sort());
  });

  it("has the API version that azure-native uses for its type", () => {
    assert.equal(stateOf("machine").outputs["azureApiVersion"], "2024-11-01");
    assert.equal(stateOf("machine").inputs["azureApiVersion"], "2024-11-01");
    assert.equal(stateOf("network").outputs["azureApiVersion"], "2024-05-01");
    assert.equal(typeOf(stateOf("disk").token).token, stateOf("disk").token);
  });

  it("changes the security settings of a deallocated VM", async () => {
    await test.cloud.setPower(IDS.machine, "deallocated");
    await test.update("machine", "securityProfile", { encryptionAtHost: true });
    await test.cloud.setPower(IDS.machine, "running");
  });
});

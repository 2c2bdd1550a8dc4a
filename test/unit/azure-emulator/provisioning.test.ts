import assert from "node:assert/strict";
import { provisioningOf } from "@store/azure-emulator/machine/provisioning";
import { textAt } from "@store/azure-emulator/arm/values";
import { parse } from "yaml";
import { KEY, STAGING, TestCloud } from "./fixture";

describe("The provisioning of an emulated VM", () => {
  let test: TestCloud;
  beforeEach(async () => {
    test = new TestCloud();
    await test.before("machine");
  });
  afterEach(() => test.dispose());

  const create = () => test.cloud.create(...STAGING.machine);
  const CUSTOM_DATA = STAGING.machine[1].osProfile.customData;

  it("has Azure's document with customData, and the keys in the metadata service", async () => {
    const vm = await create();
    const files = provisioningOf(vm);
    const ovf = files["var/lib/cloud/seed/azure/ovf-env.xml"] ?? "";
    const valueOf = (tag: string): string | undefined =>
      new RegExp(`<${tag}>(.*)</${tag}>`).exec(ovf)?.[1];
    assert.equal(valueOf("CustomData"), CUSTOM_DATA);
    assert.equal(valueOf("UserName"), "azureuser");
    assert.equal(valueOf("HostName"), textAt(vm.properties, "osProfile.computerName"));
    assert.equal(valueOf("DisableSshPasswordAuthentication"), "true");
    const { compute } = JSON.parse(files["etc/rehearsal/instance.json"] ?? "") as {
      compute: Record<string, unknown>;
    };
    assert.deepEqual(compute["publicKeys"], [{ keyData: KEY }]);
    assert.equal(compute["location"], "australiaeast");
    assert.equal(compute["resourceGroupName"], "store");
    // The data source compares it with the firmware's.
    assert.equal(`${String(compute["vmId"])}\n`, files["etc/rehearsal/vm-id"]);
  });

  it("uses nothing of Azure for a machine outside of it", async () => {
    const files = provisioningOf({ ...(await create()), token: "plain:Machine" });
    assert.ok(Object.keys(files).every((file) => file.includes("/nocloud-net/")));
    const { "public-keys": keys } = parse(
      files["var/lib/cloud/seed/nocloud-net/meta-data"] ?? "",
    ) as {
      "public-keys": string[];
    };
    assert.deepEqual(keys, [KEY]);
    assert.equal(files["var/lib/cloud/seed/nocloud-net/user-data"], "#cloud-config\n{}\n");
  });
});

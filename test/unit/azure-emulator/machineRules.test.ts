import assert from "node:assert/strict";
import { Properties, Value } from "@store/azure-emulator/arm/values";
import { changed, IDS, Part, STAGING, TestCloud } from "./fixture";
import { refused } from "./refused";

/** Rules of Microsoft.Compute and of the interface, disk and size of a VM. */
describe("The emulated Azure VM", () => {
  let test: TestCloud;
  beforeEach(() => (test = new TestCloud()));
  afterEach(() => test.dispose());

  const [token, machine] = STAGING.machine;
  const sized = (size: string, more: Properties = {}): Properties => ({
    ...machine,
    ...more,
    hardwareProfile: { vmSize: size },
  });
  const create = (properties: Properties): Promise<unknown> => test.cloud.create(token, properties);

  for (const size of [
    "Standard_D2as_v5",
    "Standard_D2ads_v5",
    "Standard_B2as_v2",
    "Standard_D2s_v6",
    "standard_ds2_v2",
  ]) {
    it(`accepts the size ${size}`, async () => {
      await test.before("machine");
      await create(sized(size));
    });
  }

  for (const [from, to, reason] of [
    ["Standard_DS2_v2", "Standard_D2s_v5", "resource disk"],
    ["Standard_D2s_v5", "Standard_D2ads_v5", "resource disk"],
    ["Standard_D2as_v5", "Standard_D2as_v6", "disk controller"],
  ] as const) {
    it(`refuses to resize a VM from ${from} to ${to}`, async () => {
      await test.before("machine");
      await create(sized(from));
      await refused(
        test.update("machine", "hardwareProfile.vmSize", to),
        "OperationNotAllowed",
        409,
        new RegExp(reason),
      );
    });
  }

  it("resizes a VM within its family", async () => {
    await test.all();
    await test.update("machine", "hardwareProfile.vmSize", "Standard_DS3_v2");
  });

  const trusted = {
    securityType: "TrustedLaunch",
    uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
  };
  for (const [what, profile] of [
    ["Trusted Launch", trusted],
    ["the encryption at host", { encryptionAtHost: true }],
  ] as const) {
    it(`refuses to turn ${what} on or off on a running VM`, async () => {
      await test.all();
      await refused(
        test.update("machine", "securityProfile", profile),
        "OperationNotAllowed",
        409,
        /deallocated/,
      );
      await test.cloud.remove(IDS.machine);
      await create({ ...machine, securityProfile: profile });
      await refused(
        test.update("machine", "securityProfile", undefined),
        "OperationNotAllowed",
        409,
      );
    });
  }

  const images: readonly [what: string, size: string, sku: string, more: Properties][] = [
    ["an Arm image with a size for x64", "Standard_DS2_v2", "12-arm64", {}],
    ["an x64 image with a size for Arm", "Standard_D2ps_v5", "12-gen2", {}],
    ["a generation 1 image with a size for generation 2", "Standard_D2as_v6", "12", {}],
    [
      "Trusted Launch with a generation 1 image",
      "Standard_DS2_v2",
      "12",
      { securityProfile: trusted },
    ],
  ];
  for (const [what, size, sku, more] of images) {
    it(`rejects ${what}`, async () => {
      await test.before("machine");
      const request = changed(sized(size, more), "storageProfile.imageReference.sku", sku);
      await refused(create(request), "BadRequest", 400);
    });
  }

  const UBUNTU = {
    publisher: "Canonical",
    offer: "ubuntu-24_04-lts",
    sku: "server",
    version: "latest",
  };
  const DEBIAN_13 = { publisher: "Debian", offer: "debian-13", sku: "13-gen2", version: "latest" };
  const withImage = (image: Properties, more: Properties = {}): Properties =>
    changed(sized("Standard_DS2_v2", more), "storageProfile.imageReference", image);

  it("accepts Debian 13, and Ubuntu 24.04 also with Trusted Launch", async () => {
    await test.before("machine");
    await create(withImage(DEBIAN_13));
    await test.cloud.remove(IDS.machine);
    await create(withImage(UBUNTU, { securityProfile: trusted }));
  });

  it("rejects Trusted Launch with Debian 13, which Microsoft's list doesn't have, and with Ubuntu's generation 1", async () => {
    await test.before("machine");
    const securityProfile = trusted;
    await refused(create(withImage(DEBIAN_13, { securityProfile })), "BadRequest", 400);
    const first = { ...UBUNTU, sku: "server-gen1" };
    await refused(create(withImage(first, { securityProfile })), "BadRequest", 400);
  });

  it("rejects other releases, SKUs and versions of Ubuntu", async () => {
    await test.before("machine");
    for (const wrong of [{ offer: "ubuntu-24_04" }, { sku: "24_04-lts" }, { version: "24.04" }])
      await refused(create(withImage({ ...UBUNTU, ...wrong })), "PlatformImageNotFound", 400);
  });

  it("rejects accelerated networking with a size that doesn't have it", async () => {
    await test.before("nic");
    await test.make("nic", "enableAcceleratedNetworking", true);
    await test.make("disk");
    await refused(
      create(sized("Standard_B2ms")),
      "VMSizeIsNotPermittedToEnableAcceleratedNetworking",
      400,
    );
    await create(machine);
  });

  it("counts the cores of each family and of the region", async () => {
    await test.before("machine");
    const named = (name: string, size: string): Properties => ({
      ...sized(size),
      vmName: name,
      storageProfile: { ...machine.storageProfile, dataDisks: [] },
      networkProfile: { networkInterfaces: [{ id: `${IDS.nic}-${name}` }] },
    });
    for (const [name, size, code, reason] of [
      ["a", "Standard_DS4_v2", "", ""],
      ["b", "Standard_DS3_v2", "OperationNotAllowed", "standardDSv2Family"],
      ["c", "Standard_D8s_v5", "", ""],
      ["d", "Standard_D8as_v5", "OperationNotAllowed", "Total Regional"],
    ] as const) {
      await test.cloud.create(STAGING.nic[0], {
        ...changed(STAGING.nic[1], "ipConfigurations.0.publicIPAddress", undefined),
        networkInterfaceName: `nic-${name}`,
      });
      if (code === "") await create(named(name, size));
      else await refused(create(named(name, size)), code, 409, new RegExp(reason));
    }
  });

  describe("whose creation was refused", () => {
    const refuse = async (fault: string): Promise<void> => {
      await test.before("machine");
      test.faults = [fault];
      await assert.rejects(create(machine));
      test.faults = [];
    };

    for (const fault of ["quota", "regional-quota", "size"]) {
      it(`keeps its network interface for itself for three minutes after the fault ${fault}`, async () => {
        await refuse(fault);
        const other = { ...machine, vmName: "other" };
        await refused(create(other), "NicReservedForAnotherVm", 400, /virtualMachines\/vm\b/);
        await refused(test.cloud.remove(IDS.nic), "NicReservedForAnotherVm", 400);
        test.wait(181);
        await create(other);
      });
    }

    it("can be created again at once under the same name", async () => {
      await refuse("quota");
      await create(machine);
      await test.cloud.remove(IDS.machine);
      await test.cloud.remove(IDS.nic);
    });

    it("doesn't keep its interface after an invalid request", async () => {
      await test.before("machine");
      await assert.rejects(test.make("machine", "osProfile.adminUsername", "admin"));
      await create({ ...machine, vmName: "other" });
    });

    it("doesn't keep its resource group from being deleted", async () => {
      await refuse("quota");
      await test.cloud.remove(IDS.group);
      assert.deepEqual(test.names(), []);
    });
  });

  it("can be created while another VM's failed creation holds its interface only after the fault ends", async () => {
    await test.before("machine");
    test.faults = ["nic-reserved"];
    await refused(create(machine), "NicReservedForAnotherVm", 400);
    test.faults = [];
    await create(machine);
  });

  const values: readonly [Part, string, Value][] = [
    ["nic", "enableAcceleratedNetworking", true],
    ["machine", "vmName", "host"],
  ];
  for (const [part, path, value] of values) {
    it(`accepts ${path} of a ${part}`, async () => {
      await test.before(part);
      await test.make(part, path, value);
    });
  }
});

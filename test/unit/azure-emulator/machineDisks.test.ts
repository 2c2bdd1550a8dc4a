import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { disksFile } from "@store/azure-emulator/machine/disks";
import { changed, IDS, STAGING, TestCloud } from "./fixture";

describe("The data disks of an emulated VM", () => {
  let test: TestCloud;
  beforeEach(async () => {
    test = new TestCloud();
    await test.before("machine");
  });
  afterEach(() => test.dispose());

  for (const [offer, size, names] of [
    ["debian-12", "Standard_DS2_v2", "scsi1/lun0"],
    ["debian-13", "Standard_DS2_v2", "scsi1/lun0 data/by-lun/0"],
    ["debian-13", "Standard_D2s_v6", "data/by-lun/0"],
    ["debian-12", "Standard_D2s_v6", ""],
    ["ubuntu-24_04-lts", "Standard_DS2_v2", "scsi1/lun0 data/by-lun/0"],
    ["ubuntu-24_04-lts", "Standard_D2s_v6", "data/by-lun/0"],
  ] as const) {
    it(`have the names of ${offer} on ${size}`, async () => {
      const [token, machine] = STAGING.machine;
      const image = {
        offer,
        ...(offer === "ubuntu-24_04-lts"
          ? { publisher: "Canonical", sku: "server" }
          : { publisher: "Debian", sku: `${offer.slice(-2)}-gen2` }),
        version: "latest",
      };
      const vm = await test.cloud.create(
        token,
        changed(
          changed(machine, "hardwareProfile.vmSize", size),
          "storageProfile.imageReference",
          image,
        ),
      );
      assert.equal(disksFile(vm, test.cloud), `0 32 ${names}\n`);
    });
  }

  it("grow while the VM runs, and have the size also after a restart", async () => {
    await test.make("machine");
    await test.update("disk", "diskSizeGB", 64);
    assert.deepEqual(test.real, ["boot vm", "grow data"]);
    const vm = test.cloud.get(IDS.machine);
    assert.ok(vm);
    assert.equal(disksFile(vm, test.cloud), "0 64 scsi1/lun0\n");
  });

  it("don't grow by an update of something else", async () => {
    await test.make("machine");
    await test.update("disk", "tags", { owner: "you" });
    assert.deepEqual(test.real, ["boot vm"]);
  });
});

describe("The script rehearsal-disks", () => {
  const SCRIPT = resolve(__dirname, "../../../packages/azure-emulator/machine/image/disks.sh");

  it("gives a disk another size in its image, on its device and in its list", () => {
    const folder = mkdtempSync(join(tmpdir(), "store-disks-"));
    try {
      mkdirSync(join(folder, "lun0"));
      writeFileSync(join(folder, "list"), "0 1 scsi1/lun0\n1 2 scsi1/lun1\n");
      writeFileSync(join(folder, "losetup"), `#!/bin/sh\necho "$@" >${folder}/calls\n`);
      chmodSync(join(folder, "losetup"), 0o755);
      execFileSync("sh", [SCRIPT, "grow", "0", "2"], {
        env: {
          PATH: `${folder}:${process.env["PATH"] ?? ""}`,
          DISKS: folder,
          LIST: join(folder, "list"),
          LINKS: folder,
        },
      });
      assert.equal(readFileSync(join(folder, "list"), "utf8"), "0 2 scsi1/lun0\n1 2 scsi1/lun1\n");
      assert.match(readFileSync(join(folder, "calls"), "utf8"), /^-c .*lun0/);
      const size = execFileSync("stat", ["--format", "%s", join(folder, "lun0", "disk.img")]);
      assert.equal(Number(size.toString()), 2 * 2 ** 30);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

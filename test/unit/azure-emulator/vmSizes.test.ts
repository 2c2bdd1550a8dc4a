import assert from "node:assert/strict";
import { SIZE_NAMES, sizeNamed } from "@store/azure-emulator/arm/types/compute/vmSizes";
import table from "../../../packages/azure-emulator/arm/types/compute/vmSizeTable.json";
import prices from "../../../policy/cost/prices.json";

describe("The table of Azure's VM sizes", () => {
  it("has a date and a source", () => {
    assert.match(table.date, /^\d{4}-\d\d-\d\d$/);
    assert.match(table.source, /https:/);
  });

  it("has each size once, and each size with a price", () => {
    assert.equal(new Set(SIZE_NAMES).size, SIZE_NAMES.length);
    assert.deepEqual(
      Object.keys(prices.vm.prices).filter((name) => sizeNamed(name) === undefined),
      [],
    );
    assert.deepEqual(
      table.confirmed.filter((name) => sizeNamed(name) === undefined),
      [],
    );
  });

  it("agrees with the names of the sizes", () => {
    for (const name of SIZE_NAMES) {
      const size = sizeNamed(name);
      const [, family = "", cores = "", letters = "", version = "1"] =
        /^Standard_([A-Z]+)(\d+)([a-z]*)(?:_v(\d))?$/.exec(name) ?? [];
      assert.ok(size && family !== "", name);
      if (family !== "DS") assert.equal(size.cores, Number(cores), name);
      assert.equal(size.architecture, letters.includes("p") ? "Arm64" : "x64", name);
      const isNew = Number(version) >= 6;
      assert.equal(size.diskController, isNew ? "NVMe" : "SCSI", name);
      // From version 4 on, a temporary disk shows in the name.
      if (Number(version) >= 4 && !isNew)
        assert.equal(size.temporaryDisk, letters.includes("d"), name);
    }
  });
});

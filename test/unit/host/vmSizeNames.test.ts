import assert from "node:assert/strict";
import { SIZE_NAMES, sizeNamed } from "@store/azure-emulator/arm/types/compute/vmSizes";
import { hasAcceleratedNetworking, hasNvmeDisks } from "../../../components/host/azure/vmSizes";

describe("The capabilities that the program reads from the name of a VM size", () => {
  for (const name of SIZE_NAMES) {
    it(`agree with Azure's for ${name}`, () => {
      const size = sizeNamed(name);
      assert.equal(hasNvmeDisks(name), size?.diskController === "NVMe");
      // Azure refuses accelerated networking where the size doesn't have it, and doesn't need it where the size has it.
      if (hasAcceleratedNetworking(name)) assert.equal(size?.acceleratedNetworking, true);
    });
  }
});

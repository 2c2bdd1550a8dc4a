import assert from "node:assert/strict";
import { distributionOf, releaseOf } from "../../../components/host/azure/vmImages";
import { computerName } from "../../../components/host/azure/vmNames";
import { hasAcceleratedNetworking, hasNvmeDisks } from "../../../components/host/azure/vmSizes";

describe("computerName", () => {
  for (const [stack, expected] of [
    ["staging", "store-staging"],
    ["Staging-2", "store-Staging-2"],
    ["my_stack", "store-my-stack"],
    ["a.b", "store-a-b"],
    ["trailing_", "store-trailing"],
    ["x".repeat(53) + "-y", `store-${"x".repeat(53)}`],
  ] as const) {
    it(`is ${expected.slice(0, 20)} for the stack ${stack.slice(0, 20)}`, () => {
      assert.equal(computerName("store", stack), expected);
    });
  }
});

describe("VM images", () => {
  for (const [image, distribution, release] of [
    ["Debian:debian-12:12-gen2:latest", "debian", "12"],
    ["Debian:debian-13:13-gen2:0.20261101.2285", "debian", "13"],
    ["debian:Debian-13:13-arm64:latest", "debian", "13"],
    ["Canonical:ubuntu-24_04-lts:server:latest", "ubuntu", "24.04"],
    ["Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest", "ubuntu", undefined],
    ["company:hardened-debian:12:1.0.0", "debian", undefined],
  ] as const) {
    it(`has the distribution ${distribution} and the release ${release ?? "unknown"}: ${image}`, () => {
      assert.equal(distributionOf(image), distribution);
      assert.equal(releaseOf(image)?.version, release);
    });
  }
});

describe("VM sizes", () => {
  // Capabilities from Azure's API for SKUs in southcentralus, 2026-08.
  for (const [size, accelerated, nvme] of [
    ["Standard_DS2_v2", true, false],
    ["Standard_D2_v2", true, false],
    ["Standard_D2s_v3", true, false],
    ["Standard_D2_v5", true, false],
    ["Standard_E4d_v5", true, false],
    ["Standard_F16s_v2", true, false],
    ["Standard_D2as_v6", true, true],
    ["standard_d128ds_V6", true, true],
    ["Standard_B1s", false, false],
    ["Standard_A0", false, false],
    ["Standard_DS1_v2", false, false],
  ] as const) {
    it(`has ${accelerated ? "" : "no "}accelerated networking and ${nvme ? "NVMe" : "SCSI"} disks: ${size}`, () => {
      assert.equal(hasAcceleratedNetworking(size), accelerated);
      assert.equal(hasNvmeDisks(size), nvme);
    });
  }
});

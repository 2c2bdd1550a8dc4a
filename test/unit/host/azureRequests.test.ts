import assert from "node:assert/strict";
import { checkShape, checkWords, Problem } from "@store/azure-emulator/arm/check";
import { partsOf, resourceFields } from "@store/azure-emulator/arm/schema";
import { Properties } from "@store/azure-emulator/arm/values";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { EmulatedAzure } from "./emulatedAzure";
import { mockedInOwnFolder } from "./mockedFolder";

const DEBIAN_13 = "Debian:debian-13:13-gen2:latest";

/**
 * The program's requests against two descriptions: the types in azure-native, which are generated from Microsoft's specifications of the
 * API versions that it sends, and the rules of the emulated Azure Resource Manager.
 */
describe("The requests of an AzureHost", () => {
  let azure: EmulatedAzure;
  mockedInOwnFolder();
  beforeEach(async () => {
    azure = new EmulatedAzure();
    await azure.use();
  });
  afterEach(() => azure.test.dispose());

  const problems = (): string[] =>
    azure.resources.flatMap(({ token, request }) => problemsOf(token, request));

  it("have the names, types and values of Microsoft's descriptions", async () => {
    await azure.deploy({});
    assert.equal(new Set(azure.resources.map(({ token }) => token)).size, 12);
    assert.deepEqual(problems(), []);
  });

  const variants: readonly [what: string, Partial<AzureHostArgs>][] = [
    ["Trusted Launch", { trustedLaunch: true }],
    ["encryption at host", { encryptionAtHost: true }],
    ["a size without accelerated networking", { vmSize: "Standard_B2ms" }],
    ["a size without a temporary disk", { vmSize: "Standard_D2as_v5" }],
    ["a burstable size of the second generation", { vmSize: "Standard_B2as_v2" }],
    ["Debian 13 on a size with NVMe disks", { vmSize: "Standard_D2s_v6", vmImage: DEBIAN_13 }],
  ];
  for (const [what, args] of variants) {
    it(`are accepted with ${what}`, async () => {
      await azure.deploy(args);
      assert.deepEqual(problems(), []);
    });
  }

  it("would be refused with a wrong name, type or value", () => {
    const count = (body: Properties): number =>
      problemsOf("azure-native:compute:Disk", body).length;
    const good = { resourceGroupName: "g", creationData: { createOption: "Empty" } };
    assert.equal(count(good), 0);
    assert.equal(count({ ...good, diskSizeGb: 32 }), 1);
    assert.equal(count({ ...good, diskSizeGB: "32" }), 1);
    assert.equal(count({ ...good, creationData: { createOption: "empty" } }), 1);
    assert.equal(count({ resourceGroupName: "g" }), 1);
  });
});

/** Returns what a request has against the declared types. Unlike ARM, compares the values of enums with their case. */
function problemsOf(token: string, request: Properties): string[] {
  const fields = resourceFields(...partsOf(token));
  const wrong = checkWords(request, fields, ["hardwareProfile.vmSize"], { exactCase: true });
  const found: Problem[] = [
    ...checkShape(request, fields),
    ...(wrong === undefined ? [] : [wrong]),
  ];
  return found.map(({ path, reason }) => `${token} ${path} ${reason}`);
}

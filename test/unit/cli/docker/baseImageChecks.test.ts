import assert from "node:assert/strict";
import { baseImageResult } from "@store/cli/doctor/dockerChecks";
import type { BaseImageStatus, RegistryStatus } from "@store/toolchain/images/plan";

describe("./store doctor", () => {
  const result = (local: BaseImageStatus["local"], registry: RegistryStatus) =>
    baseImageResult(
      {
        ...{ ref: "postgres:18.4", configKey: "store:postgresImage", canBeBuilt: true },
        ...{ local, registry },
      },
      "./store up",
    );

  it("accepts an image under the tag while the registry is unreachable, and says that its digest can't be checked", () => {
    const { status, found } = result("tagged", { answer: "unreachable", reason: "no such host" });
    assert.equal(status, "ok");
    assert.match(found, /digest can't be checked/);
  });

  it("announces the pull of an image of which the machine has only another one under the tag", () => {
    const { status, found } = result("tagged", { answer: "serves" });
    assert.equal(status, "pending");
    assert.doesNotMatch(found, /fallback/);
  });
});

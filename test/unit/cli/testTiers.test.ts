import assert from "node:assert/strict";
import { selectTiers } from "../../../packages/cli/commands/develop/test";

describe("./store test", () => {
  const names = (tier?: string): string[] => selectTiers(tier).map(({ name }) => name);

  it("runs the tier docker-versions only if it is named, because it takes long", () => {
    assert.ok(names().includes("integration"));
    assert.ok(!names().includes("docker-versions"));
    assert.deepEqual(names("docker-versions"), ["docker-versions"]);
  });
});

import assert from "node:assert/strict";
import { readText, withTable } from "../../scripts/configurationTable";

/** Tables are compared cell by cell: the formatter aligns their columns. */
function squeezed(text: string): string {
  return text.replace(/[ \t]+/g, " ").replace(/-{3,}/g, "---");
}

describe("README.md", () => {
  it("has the configuration keys as they stand in Pulumi.yaml (npm run readme)", () => {
    const readme = readText("README.md");
    assert.equal(squeezed(readme), squeezed(withTable(readme, readText("Pulumi.yaml"))));
  });
});

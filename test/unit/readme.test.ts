import assert from "node:assert/strict";
import { CONFIGURATION_PAGE, readText, withTable } from "../../scripts/configurationTable";

/** Makes tables comparable cell by cell: the formatter aligns their columns. */
function squeezed(text: string): string {
  return text.replace(/[ \t]+/g, " ").replace(/-{3,}/g, "---");
}

describe(CONFIGURATION_PAGE, () => {
  it("has the table of configuration keys that npm run readme writes", () => {
    const page = readText(CONFIGURATION_PAGE);
    assert.equal(squeezed(page), squeezed(withTable(page, readText("Pulumi.yaml"))));
  });
});

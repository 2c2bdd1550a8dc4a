import assert from "node:assert/strict";
import { UsageError } from "@store/docker/cliError";
import { engineReference, parseStackReference } from "@store/cli/project/project";

describe("a stack's name with its organisation and project", () => {
  it("names the same stack", () => {
    for (const reference of ["trial", "organization/trial", "organization/store/trial"]) {
      assert.equal(parseStackReference("store", reference).name, "trial");
      assert.equal(engineReference("store", reference, true), undefined);
    }
  });

  it("is passed to a backend with organisations", () => {
    assert.equal(engineReference("store", "acme/store/trial", false), "acme/store/trial");
    assert.equal(engineReference("store", "trial", false), undefined);
  });

  it("is refused for another project, and for an organisation that files don't have", () => {
    assert.throws(() => parseStackReference("store", "organization/shop/trial"), UsageError);
    assert.throws(() => engineReference("store", "acme/trial", true), UsageError);
  });
});

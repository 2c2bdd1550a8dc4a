import assert from "node:assert/strict";
import { pipRemedy } from "@store/toolchain/tools/workflowLinters";

describe("A failed installation of the linters", () => {
  it("blames the network only for pip's network errors", () => {
    assert.match(pipRemedy("WARNING: Retrying after connection broken"), /reaches PyPI.*PIP_INDEX/);
    assert.match(
      pipRemedy("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"),
      /cause that pip names/,
    );
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { engineReference, parseProject, parseStackReference } from "@store/cli/project/project";
import { findOwnStack } from "@store/cli/project/session";

describe("a stack's file", () => {
  it("is the one that STORE_CONFIG_FILE names, unless a flag names another", () => {
    const project = parseProject(__dirname, "name: store\nruntime: nodejs\n");
    process.env["STORE_CONFIG_FILE"] = __filename;
    try {
      assert.deepEqual(findOwnStack(project, { stack: "trial" }), {
        name: "trial",
        file: __filename,
      });
      const configFile = join(__dirname, "command.test.ts");
      assert.equal(findOwnStack(project, { stack: "trial", configFile }).file, configFile);
    } finally {
      delete process.env["STORE_CONFIG_FILE"];
    }
  });
});

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

import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { engineReference, parseProject, parseStackReference } from "@store/cli/project/project";
import { findOwnStack } from "@store/cli/project/session";
import { completeCommands, storeCommand } from "@store/cli/project/storeCommand";

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

describe("a command in a message", () => {
  it("selects the stack, as an argument or by -s, unless it is the default stack", () => {
    assert.equal(storeCommand("up", "dev"), "./store up");
    assert.equal(storeCommand("down --volumes", "demo"), "./store down demo --volumes");
    assert.equal(storeCommand("logs orders", "demo"), "./store logs orders -s demo");
    assert.equal(storeCommand("token", "demo"), "./store token demo");
    assert.equal(storeCommand("token add ana", "demo"), "./store token add ana -s demo");
    assert.equal(
      storeCommand("exec orders -- psql", "demo"),
      "./store exec orders -s demo -- psql",
    );
    assert.equal(
      storeCommand("up -- --replace 'urn'", "demo"),
      "./store up demo -- --replace 'urn'",
    );
  });

  it("repeats the configuration file, which Pulumi gets as a variable", () => {
    const at = (command: string, file = "x/values.yaml") => storeCommand(command, "demo", file);
    assert.equal(at("up --yes"), "./store up demo --yes --config-file x/values.yaml");
    assert.equal(
      at("exec orders -- psql", "my values.yaml"),
      "./store exec orders -s demo --config-file 'my values.yaml' -- psql",
    );
    assert.equal(
      at("pulumi config set httpPort 9000"),
      "STORE_CONFIG_FILE=x/values.yaml ./store pulumi config set httpPort 9000 -s demo",
    );
  });

  it("is completed in a fixed text", () => {
    assert.equal(
      completeCommands(
        "Restart STACK: ./store ssh STACK -- sudo reboot, ./store up STACK.",
        "demo",
      ),
      "Restart demo: ./store ssh demo -- sudo reboot, ./store up demo.",
    );
  });
});

import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type {
  AzureRegistry,
  AzureRegistryArgs,
} from "../../../components/registry/azure/azureRegistry";
import { commonProviders } from "../host/commonProviders";
import { COMMAND, promiseOf, reset, resource, resources, setMocks } from "../mocks";

const TYPE = "azure-native:containerregistry:";

describe("AzureRegistry", () => {
  before(setMocks);
  beforeEach(reset);

  function registry(args: Partial<AzureRegistryArgs> = {}): AzureRegistry {
    /* eslint-disable @typescript-eslint/no-require-imports */
    // Loaded on demand: the Azure SDK takes a second to load, and no other test in this file needs it.
    const { AzureRegistry: Registry } =
      require("../../../components/registry/azure/azureRegistry") as typeof import("../../../components/registry/azure/azureRegistry");
    /* eslint-enable @typescript-eslint/no-require-imports */
    return new Registry("host-registry", {
      tier: "Basic",
      resourceGroupName: "group-of-host",
      location: "australiaeast",
      tags: { owner: "store-team" },
      providers: commonProviders(),
      ...args,
    });
  }

  it("has a unique name and no admin user", async () => {
    registry({ tier: "Standard" });
    const { inputs } = await resource(`${TYPE}Registry`, "host-registry");
    assert.match(String(inputs["registryName"]), /^storetest[a-z0-9]{8,12}$/);
    assert.deepEqual(inputs["sku"], { name: "Standard" });
    assert.equal(inputs["adminUserEnabled"], false);
    assert.deepEqual(inputs["tags"], { owner: "store-team" });
  });

  it("permits hosts to pull the store's images and nothing else", async () => {
    registry();
    const { inputs } = await resource(`${TYPE}ScopeMap`, "host-registry-pull");
    assert.deepEqual(inputs["actions"], ["repositories/store/*/content/read"]);
    const token = await resource(`${TYPE}Token`, "host-registry-pull");
    assert.equal(token.inputs["scopeMapId"], "host-registry-pull-id");
    assert.ok(String(token.inputs["tokenName"]).length >= 5, "Azure wants five characters");
  });

  it("keeps the pull password secret and has no push password", async () => {
    const { access } = registry();
    assert.ok(access.pull && "password" in access.pull);
    assert.equal(await pulumi.isSecret(pulumi.output(access.pull.password)), true);
    assert.deepEqual(Object.keys(access.push), ["azureRegistry"]);
    const { inputs } = await resource(COMMAND, "host-registry-pull-password");
    assert.equal(inputs["logging"], "stderr");
    assert.deepEqual(inputs["environment"], { REGISTRY: "host-registry-id", TOKEN: "host-pull" });
  });

  it("generates another password for a recreated or updated token, because both have none", async () => {
    registry();
    const { inputs } = await resource(COMMAND, "host-registry-pull-password");
    assert.deepEqual(inputs["triggers"], [
      "2026-01-02T03:04:05Z",
      "2024-11-01-preview",
      "host-registry-pull-id",
      "enabled",
    ]);
  });

  it("returns its address, the project as namespace and its creation date as generation", async () => {
    const { access } = registry();
    assert.equal(await promiseOf(pulumi.output(access.address)), "mine.azurecr.io");
    assert.equal(access.namespace, "store");
    assert.equal(await promiseOf(pulumi.output(access.generation ?? "")), "2026-01-02T03:04:05Z");
    assert.equal((await resources(`${TYPE}Registry`)).length, 1);
  });
});

describe("tokenPassword.mjs", () => {
  const ID =
    "/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/mine";
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-az-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("prints the password that az generates and nothing else", async () => {
    const { stdout } = await run(`printf '%s\\n' "$@" >"${folder}/args"; echo generated-secret`);
    assert.equal(stdout, "generated-secret");
    const args = readFileSync(join(folder, "args"), "utf8").split("\n");
    assert.deepEqual(args.slice(0, 4), ["acr", "token", "credential", "generate"]);
    for (const [option, value] of [
      ["--subscription", "s1"],
      ["--registry", "mine"],
      ["--name", "host-pull"],
    ] as const) {
      assert.equal(args[args.indexOf(option) + 1], value);
    }
  });

  it("suggests az login without a login", async () => {
    await assert.rejects(run(`echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`), {
      stderr:
        /^store:azureRegistry: az acr token credential generate failed: ERROR: Please run 'az login'[^\n]* `az login`[^\n]*\n$/,
    });
  });

  it("suggests an installation without az", async () => {
    await assert.rejects(run(undefined), {
      stderr:
        /^store:azureRegistry: needs Azure's command az[^\n]*https:\/\/aka\.ms\/azure-cli[^\n]*\n$/,
    });
  });

  /** Runs the script with these lines of a shell script as `az`. */
  function run(az: string | undefined): Promise<{ stdout: string }> {
    if (az !== undefined) {
      writeFileSync(join(folder, "az"), `#!/bin/sh\n${az}\n`);
      chmodSync(join(folder, "az"), 0o755);
    }
    const path = az === undefined ? folder : [folder, "/usr/bin", "/bin"].join(delimiter);
    return promisify(execFile)(process.execPath, ["components/registry/azure/tokenPassword.mjs"], {
      cwd: resolve(dirname(__filename), "../../.."),
      env: { PATH: path, REGISTRY: ID, TOKEN: "host-pull" },
    });
  }
});

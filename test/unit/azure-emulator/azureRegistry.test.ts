import assert from "node:assert/strict";
import { ArmError } from "@store/azure-emulator/arm/armError";
import { at, Properties, textAt, UNKNOWN, Value } from "@store/azure-emulator/arm/values";
import { AzureCli } from "@store/azure-emulator/azureCli/azureCli";
import { Provider } from "@store/azure-emulator/provider/provider";
import { AzureAccounts } from "@store/azure-emulator/registry/accounts";
import { changed, IDS, TestCloud } from "./fixture";

const place = { resourceGroupName: "store" };
const ID = `${IDS.group}/providers/Microsoft.ContainerRegistry/registries/storetest`;
const PARTS = {
  registry: [
    "azure-native:containerregistry:Registry",
    {
      ...place,
      registryName: "storetest",
      location: "australiaeast",
      sku: { name: "Basic" },
      adminUserEnabled: false,
    },
  ],
  scope: [
    "azure-native:containerregistry:ScopeMap",
    {
      ...place,
      registryName: "storetest",
      scopeMapName: "host-pull",
      actions: ["repositories/store/*/content/read"],
    },
  ],
  token: [
    "azure-native:containerregistry:Token",
    {
      ...place,
      registryName: "storetest",
      tokenName: "host-pull",
      scopeMapId: `${ID}/scopeMaps/host-pull`,
      status: "Enabled",
    },
  ],
} as const satisfies Record<string, readonly [string, Properties]>;
type Part = keyof typeof PARTS;

describe("The emulated Azure Container Registry", () => {
  let test: TestCloud;
  let accounts: AzureAccounts;
  let cli: AzureCli;
  beforeEach(async () => {
    test = new TestCloud();
    accounts = new AzureAccounts();
    cli = new AzureCli(test.cloud, accounts, () => test.faults);
    await test.make("group");
  });
  afterEach(() => test.dispose());

  const make = (part: Part, path?: string, value?: Value): Promise<unknown> => {
    const [token, properties] = PARTS[part];
    return test.cloud.create(
      token,
      path === undefined ? properties : changed(properties, path, value),
    );
  };
  const all = async (): Promise<void> => {
    for (const part of ["registry", "scope", "token"] as const) await make(part);
  };
  /** Reads the token by the provider. `before` has the outputs in the state. */
  const readToken = (before: Properties): ReturnType<Provider["read"]> => {
    const [token, asked] = PARTS.token;
    return new Provider(test.cloud, () => []).read(`${ID}/tokens/host-pull`, token, asked, before);
  };
  const generate = (): ReturnType<AzureCli["run"]> =>
    cli.run([
      ...["acr", "token", "credential", "generate", "--subscription", test.cloud.subscription],
      ...["--registry", "storetest", "--name", "host-pull", "--password1"],
      ...["--query", "passwords[0].value", "--output", "tsv", "--only-show-errors"],
    ]);
  const login = (name = "storetest"): ReturnType<AzureCli["run"]> =>
    cli.run([
      ...["acr", "login", "--subscription", test.cloud.subscription, "--name", name],
      ...["--expose-token", "--query", "accessToken", "--output", "tsv"],
    ]);

  it("creates the staging stack's registry with its login server", async () => {
    await all();
    const made = test.cloud.get(ID)?.computed;
    assert.equal(textAt(made, "loginServer"), "127.0.0.1:5000");
    assert.match(textAt(made, "creationDate"), /^\d{4}-\d\d-\d\dT/);
  });

  it("accepts unknown values in a preview", () => {
    const provider = new Provider(test.cloud, () => []);
    const urn = "urn:pulumi:staging::store::azure-native:x:X::host";
    for (const [token, properties] of Object.values(PARTS)) {
      for (const seen of [properties, changed(properties, "registryName", UNKNOWN)])
        assert.deepEqual(provider.check(token, urn, {}, seen).problems, [], token);
    }
    const [token, properties] = PARTS.scope;
    const { problems } = provider.check(token, urn, {}, changed(properties, "actions", "x"));
    assert.match(JSON.stringify(problems), /should be a list/);
  });

  const refusals: readonly [
    what: string,
    part: Part,
    path: string,
    value: Value | undefined,
    code: string,
  ][] = [
    ["a name of four characters", "registry", "registryName", "mine", "InvalidResourceName"],
    ["a name with a hyphen", "registry", "registryName", "store-test", "InvalidResourceName"],
    ["an unknown tier", "registry", "sku.name", "Free", "InvalidParameter"],
    ["a retired tier", "registry", "sku.name", "Classic", "ClassicSkuRetired"],
    [
      "a feature of the tier Premium",
      "registry",
      "publicNetworkAccess",
      "Disabled",
      "SkuNotSupported",
    ],
    [
      "a feature that the tier Basic lacks",
      "registry",
      "anonymousPullEnabled",
      true,
      "SkuNotSupported",
    ],
    ["a scope map with a short name", "scope", "scopeMapName", "pull", "InvalidResourceName"],
    ["a scope map without actions", "scope", "actions", [], "InvalidParameter"],
    [
      "an unknown action",
      "scope",
      "actions",
      ["repositories/store/*/content/push"],
      "ScopeMapActionInvalid",
    ],
    [
      "a scope map of a missing registry",
      "scope",
      "registryName",
      "another",
      "ParentResourceNotFound",
    ],
    [
      "a token for a missing scope map",
      "token",
      "scopeMapId",
      `${ID}/scopeMaps/other`,
      "InvalidResourceReference",
    ],
    ["a token with a short name", "token", "tokenName", "pull", "InvalidResourceName"],
    ["an invalid status of a token", "token", "status", "On", "InvalidParameter"],
    [
      "a password in the inputs",
      "token",
      "credentials",
      { passwords: [{ name: "password1" }] },
      "TokenPasswordsCannotBeAdded",
    ],
  ];
  for (const [what, part, path, value, code] of refusals) {
    it(`rejects ${what}`, async () => {
      for (const before of ["registry", "scope", "token"] as const) {
        if (before === part) break;
        await make(before);
      }
      await assert.rejects(make(part, path, value), (error) => {
        assert.ok(error instanceof ArmError, String(error));
        assert.equal(error.code, code);
        return true;
      });
    });
  }

  it("rejects a registry name that is in use", async () => {
    await make("registry");
    await test.cloud.create("azure-native:resources:ResourceGroup", {
      resourceGroupName: "theirs",
      location: "australiaeast",
    });
    await assert.rejects(make("registry", "resourceGroupName", "theirs"), /AlreadyInUse/);
  });

  it("deletes a registry with everything in it, but not a scope map in use", async () => {
    await all();
    await assert.rejects(test.cloud.remove(`${ID}/scopeMaps/host-pull`), /ScopeMapInUse/);
    await test.cloud.remove(ID);
    assert.deepEqual(test.names(), ["store"]);
    assert.deepEqual(test.real, ["empty the registry"]);
  });

  it("generates a token's password, which replaces the previous one and isn't stored in the state", async () => {
    await all();
    assert.deepEqual(accounts.of(test.cloud), []);
    const { stdout } = await generate();
    const [account, ...others] = accounts.of(test.cloud);
    assert.deepEqual(others, []);
    assert.deepEqual(account, {
      username: "host-pull",
      password: stdout.trim(),
      rights: [{ repositories: "store/*", action: "read" }],
    });
    assert.notEqual((await generate()).stdout, stdout);
    assert.equal(JSON.stringify(test.cloud.everything()).includes(stdout.trim()), false);
  });

  it("lists a token's generated password without its value", async () => {
    await all();
    await generate();
    const [, asked] = PARTS.token;
    const read = readToken(asked);
    assert.equal(at(read?.inputs, "credentials.passwords.0.name"), "password1");
  });

  it("removes a token's password when the token is updated without it", async () => {
    await all();
    await generate();
    const [token, asked] = PARTS.token;
    const read = readToken({});
    await test.cloud.update(token, { ...asked, credentials: read?.inputs["credentials"] });
    assert.equal(accounts.of(test.cloud).length, 1);
    await test.cloud.update(token, asked);
    assert.deepEqual(accounts.of(test.cloud), []);
    await generate();
    assert.equal(accounts.of(test.cloud).length, 1);
  });

  it("accepts the status of a token in both cases, and gives a disabled one no rights", async () => {
    for (const part of ["registry", "scope"] as const) await make(part);
    await make("token", "status", "enabled");
    await generate();
    assert.equal(accounts.of(test.cloud).length, 1);
    await test.cloud.update(PARTS.token[0], {
      ...test.cloud.get(`${ID}/tokens/host-pull`)?.properties,
      status: "Disabled",
    });
    assert.deepEqual(accounts.of(test.cloud), []);
  });

  it("grants all rights to the logged-in user, with one access token", async () => {
    await all();
    const { stdout } = await login();
    assert.equal((await login()).stdout, stdout);
    const [account] = accounts.of(test.cloud);
    assert.deepEqual(
      account?.rights.map(({ action }) => action),
      ["read", "write"],
    );
    await test.cloud.remove(ID);
    assert.deepEqual(accounts.of(test.cloud), []);
  });

  it("fails without a login, for an unknown registry and for unsupported commands", async () => {
    await all();
    assert.match((await login("another")).stderr, /^ERROR: .*'another'.*could not be found/);
    assert.match(
      (await cli.run(["group", "delete", "--name", "x"])).stderr,
      /has no 'group delete'/,
    );
    test.faults = ["login"];
    assert.deepEqual(await generate(), {
      code: 1,
      stdout: "",
      stderr: "ERROR: Please run 'az login' to setup account.\n",
    });
  });
});

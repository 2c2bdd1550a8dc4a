import assert from "node:assert/strict";
import { plainSecrets } from "../../../config/warnings/plainSecrets";
import type { ConfigValues } from "../../../config/schema";
import { setMocks } from "../mocks";
import { resetConfig, setConfig } from "./stackConfig";

const registry = { password: "hidden", pullPassword: "hidden, too" } as ConfigValues["registry"];
const noRegistry = { password: "", pullPassword: "" } as ConfigValues["registry"];
const secrets = { billing: { KEY: "hidden", OTHER: "hidden, too" } };

describe("warnings of secrets in clear", () => {
  before(setMocks);
  afterEach(resetConfig);

  /** Returns the keys of the warnings for a file with the lines below `config`. */
  function warned(
    values: Partial<Parameters<typeof plainSecrets>[0]>,
    encrypted: readonly string[],
    config?: string,
  ): string[] {
    setConfig({}, encrypted);
    const file = { name: "Pulumi.test.yaml", text: `config:\n${config ?? ""}` };
    const warnings = plainSecrets(
      { registry: noRegistry, secrets: {}, databaseUrl: {}, ...values },
      config === undefined ? undefined : file,
    );
    assert.doesNotMatch(warnings.join(), /hidden/);
    return warnings.map((line) => line.split(": ")[0] ?? "");
  }
  const ofRegistry = (config?: string): string[] =>
    warned({ registry, secrets: {} }, ["store:registry"], config);

  it("name the one of the registry's passwords that isn't encrypted", () => {
    const written = `
  store:registry:
    address: registry.example.com
    password: {secure: v1:abc=}
    pullPassword: hidden, too`;
    assert.deepEqual(ofRegistry(written), ["store:registry.pullPassword"]);
    assert.deepEqual(ofRegistry(written.replace("store:", "")), ["store:registry.pullPassword"]);
    const swapped = "  store:registry: {password: hidden, pullPassword: {secure: v1:abc=}}";
    assert.deepEqual(ofRegistry(swapped), ["store:registry.password"]);
  });

  it("name both if another field is the encrypted one", () => {
    const written =
      "  store:registry: {username: {secure: v1:a=}, password: hidden, pullPassword: '1'}";
    assert.deepEqual(ofRegistry(written), [
      "store:registry.password",
      "store:registry.pullPassword",
    ]);
  });

  it("aren't given for encrypted passwords, nor for those whose file isn't known", () => {
    const both = "  store:registry: {password: {secure: v1:a=}, pullPassword: {secure: v1:b=}}";
    assert.deepEqual(ofRegistry(both), []);
    assert.deepEqual(ofRegistry("  store:registry: {secure: v1:abc=}"), []);
    assert.deepEqual(ofRegistry("  store:domain: shop.example.org"), []);
    assert.deepEqual(ofRegistry(), []);
    assert.deepEqual(warned({ registry: noRegistry, secrets: {} }, [], ""), []);
  });

  it("name a service's secret in clear beside an encrypted one", () => {
    const written = "  store:secrets: {billing: {KEY: {secure: v1:a=}, OTHER: 'hidden, too'}}";
    assert.deepEqual(warned({ registry: noRegistry, secrets }, ["store:secrets"], written), [
      "store:secrets.billing.OTHER",
    ]);
  });

  it("name a database's URL in clear beside an encrypted one", () => {
    const databaseUrl = { orders: "postgres://o:hidden@db/o", billing: "postgres://b:hidden@db/b" };
    const written = `  store:databaseUrl: {orders: {secure: v1:a=}, billing: "${databaseUrl.billing}"}`;
    assert.deepEqual(warned({ databaseUrl }, ["store:databaseUrl"], written), [
      "store:databaseUrl.billing",
    ]);
  });

  it("have the command that encrypts the value", () => {
    setConfig({}, ["store:secrets"]);
    const text = "config:\n  store:secrets: {billing: {KEY: {secure: v1:a=}, OTHER: hidden}}";
    const values = { registry: noRegistry, secrets, databaseUrl: {} };
    const [warning] = plainSecrets(values, { name: "x", text });
    assert.match(
      warning ?? "",
      /: \.\/store pulumi config set -s \S+ --secret --path secrets\.billing\.OTHER VALUE$/,
    );
  });
});

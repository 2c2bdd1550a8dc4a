import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { configMistakes } from "@store/cli/doctor/configChecks";
import { readProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { resetConfig } from "../config/stackConfig";

describe("configMistakes", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "store-config-"))));
  after(() => rmSync(folder, { recursive: true }));
  afterEach(resetConfig);

  const mistakes = (config: Readonly<Record<string, unknown>>): string[] => {
    const file = join(folder, "Pulumi.one.yaml");
    writeFileSync(file, stringify({ config }));
    return configMistakes({ project: readProject(), stack: { name: "one", file } } as Session);
  };
  const AZURE = {
    "store:host": "azure",
    "store:owner": "team",
    "store:adminCidrs": ["203.0.113.7/32"],
    "store:environment": { billing: { PAYMENT_PROVIDER: "stripe" } },
  };
  const registry = (password: unknown) => ({
    ...{ address: "registry.example", username: "me", password },
  });

  it("is empty for a valid configuration, also with encrypted values", () => {
    assert.deepEqual(mistakes({}), []);
    const secure = { secure: "v1:abc" };
    assert.deepEqual(mistakes({ ...AZURE, "store:registry": registry(secure) }), []);
    assert.deepEqual(mistakes({ "store:databaseUrl": { orders: secure } }), []);
    const ssh = { host: "ssh", sshAddress: "host", sshHostKey: `ssh-ed25519 ${"A".repeat(68)}` };
    const environment = { billing: { PAYMENT_PROVIDER: "simulated" } };
    const keys = Object.entries({
      ...ssh,
      ...{ environment, sshPrivateKey: secure, registry: registry(secure) },
    });
    assert.deepEqual(
      mistakes(Object.fromEntries(keys.map(([key, value]) => [`store:${key}`, value]))),
      [],
    );
  });

  it("names a mistake beside an encrypted value, but none in it", () => {
    const databaseUrl = { orders: { secure: "v1:abc" }, billing: "text" };
    const found = mistakes({ "store:databaseUrl": databaseUrl });
    assert.match(found.join("\n"), /^store:databaseUrl\.billing: the value .*\.$/);
  });

  it("names a missing registry and missing address ranges", () => {
    const found = mistakes({ ...AZURE, "store:adminCidrs": [] });
    assert.match(found.join("\n"), /^store:registry: is empty.*^store:adminCidrs: is empty/ms);
  });

  it("names a payment provider that nobody chose", () => {
    const { "store:environment": _, ...unset } = AZURE;
    const found = mistakes({ ...unset, "store:registry": registry({ secure: "v1:abc" }) });
    assert.equal(found.length, 1);
    assert.match(
      found.join(),
      /^store:environment\.billing\.PAYMENT_PROVIDER: isn't set.* stripe or simulated/,
    );
  });

  it("names a payment provider that doesn't exist, on any host", () => {
    const environment = { billing: { PAYMENT_PROVIDER: "strpe" } };
    const found = mistakes({ "store:environment": environment });
    assert.equal(found.length, 1);
    assert.match(
      found.join(),
      /^store:environment\.billing\.PAYMENT_PROVIDER: "strpe" isn't a choice.* stripe or simulated/,
    );
  });

  it("doesn't miss a variable of an environment with another mistake", () => {
    const environment = { billing: { PAYMENT_PROVIDER: "stripe", SLOW_MS: [5] } };
    const found = mistakes({
      ...AZURE,
      "store:environment": environment,
      "store:registry": registry({ secure: "v1:abc" }),
    });
    assert.equal(found.length, 1);
    assert.match(found.join(), /^store:environment\.billing\.SLOW_MS/);
  });

  it("leaves the environment as it was", () => {
    const before = { ...process.env };
    mistakes({ "store:httpPort": "eighty" });
    assert.deepEqual({ ...process.env }, before);
  });
});

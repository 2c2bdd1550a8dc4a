import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { HostConfig, readHostConfig } from "../../../config/hostConfig";
import { keyPair } from "../host/keys";

const { public: PUBLIC_KEY, private: PRIVATE_KEY } = keyPair();

const azure = {
  host: "azure",
  owner: "store-team",
  adminCidrs: ["203.0.113.7/32"],
  registry: {
    address: "registry.example.com",
    namespace: "store",
    username: "store",
    password: "hidden",
  },
};

describe("configuration of the host", () => {
  afterEach(() => pulumi.runtime.setAllConfig({}));

  it("is this machine unless it is said", () => {
    assert.deepEqual(read({}), { kind: "local" });
  });

  it("takes Azure with a registry, an owner and somebody who may log in", () => {
    const host = read(azure);
    assert.ok(host.kind === "azure");
    assert.equal(host.azure.vmSize, "Standard_DS2_v2");
    assert.deepEqual(host.azure.adminCidrs, ["203.0.113.7/32"]);
    assert.ok("address" in host.azure.registry);
    assert.equal(host.azure.registry.namespace, "store");
    assert.equal(host.azure.shutdown, undefined);
  });

  it("takes Azure with a registry that the stack makes", () => {
    const host = read({ ...azure, registry: {}, azureRegistry: "Standard" });
    assert.ok(host.kind === "azure");
    assert.deepEqual(host.azure.registry, { tier: "Standard" });
  });

  it("keeps the registry's password and the login key secret", async () => {
    const host = read({ ...azure, sshPublicKey: PUBLIC_KEY, sshPrivateKey: PRIVATE_KEY });
    assert.ok(host.kind === "azure");
    assert.ok("pull" in host.azure.registry);
    assert.equal(await pulumi.isSecret(pulumi.output(host.azure.registry.pull.password)), true);
    assert.equal(await pulumi.isSecret(pulumi.output(host.azure.loginKey?.private ?? "")), true);
  });

  it("takes a machine that answers SSH, with or without a registry", () => {
    const ssh = {
      host: "ssh",
      sshAddress: "shop.example.org",
      sshHostKey: PUBLIC_KEY,
      sshPrivateKey: PRIVATE_KEY,
    };
    const host = read(ssh);
    assert.ok(host.kind === "ssh");
    assert.equal(host.ssh.registry, undefined);
    assert.equal(host.ssh.port, 22);
  });

  const refusals: readonly [what: string, change: Record<string, unknown>, message: RegExp][] = [
    ["an unknown host", { host: "aws" }, /^store:host: "aws" is none of local, azure, ssh/],
    ["Azure without a registry", { registry: {} }, /^store:registry: .*registry\.address/],
    [
      "a tier of registries that there isn't",
      { registry: {}, azureRegistry: "Classic" },
      /^store:azureRegistry: "Classic" is none of Basic, Standard, Premium/,
    ],
    [
      "two registries",
      { azureRegistry: "Basic" },
      /^store:azureRegistry: is set, and so is store:registry/,
    ],
    [
      "a registry in Azure for a machine elsewhere",
      { host: "ssh", registry: {}, azureRegistry: "Basic" },
      /^store:azureRegistry: .*store:host is ssh/,
    ],
    [
      "a registry without a password",
      { registry: { address: "r.io", username: "u" } },
      /^store:registry: r\.io needs/,
    ],
    [
      "a registry with a path for an address",
      { registry: { address: "https://r.io" } },
      /^store:registry: address is/,
    ],
    ["Azure without who may log in", { adminCidrs: [] }, /^store:adminCidrs: nobody could log in/],
    [
      "a range that is none",
      { adminCidrs: ["203.0.113.300/32"] },
      /^store:adminCidrs: "203\.0\.113\.300\/32"/,
    ],
    ["a network that isn't whole", { addressRange: "10.20.0.1/16" }, /^store:addressRange/],
    ["a network that is too small", { addressRange: "10.20.0.0/30" }, /^store:addressRange/],
    [
      "an address without its bits",
      { adminCidrs: ["203.0.113.7"] },
      /^store:adminCidrs: "203\.0\.113\.7"/,
    ],
    [
      "SSH from everywhere",
      { adminCidrs: ["0.0.0.0/0"] },
      /^store:adminCidrs: opens SSH to the whole world/,
    ],
    [
      "an administrator's name that Azure refuses",
      { adminUser: "admin" },
      /^store:adminUser: "admin"/,
    ],
    ["no owner", { owner: "" }, /^store:owner: is empty/],
    ["an image without a version", { vmImage: "Debian:debian-12" }, /^store:vmImage/],
    ["a time of 25 o'clock", { shutdownTime: "2500" }, /^store:shutdownTime/],
    ["another source of Docker", { dockerSource: "snap" }, /^store:dockerSource/],
    ["no time to get ready", { readyMinutes: 0 }, /^store:readyMinutes: 0/],
    ["half a key pair", { sshPublicKey: PUBLIC_KEY }, /^store:sshPrivateKey: .*pair/],
    [
      "a public key that is none",
      { sshPublicKey: "hello", sshPrivateKey: "x" },
      /^store:sshPublicKey/,
    ],
    [
      "a private key that is none",
      { sshPublicKey: PUBLIC_KEY, sshPrivateKey: "x" },
      /^store:sshPrivateKey/,
    ],
    [
      "SSH without a key",
      { host: "ssh", sshAddress: "a.b", sshHostKey: PUBLIC_KEY },
      /^store:sshPrivateKey/,
    ],
    [
      "SSH without a host key",
      { host: "ssh", sshAddress: "a.b", sshPrivateKey: PRIVATE_KEY },
      /^store:sshHostKey/,
    ],
  ];
  for (const [what, change, message] of refusals) {
    it(`refuses ${what}, and names the key`, () => {
      assert.throws(() => read({ ...azure, ...change }), { message });
    });
  }

  it("lets SSH be opened to the world by whoever says it twice", () => {
    const host = read({ ...azure, adminCidrs: ["0.0.0.0/0"], sshFromAnywhere: true });
    assert.ok(host.kind === "azure");
    assert.deepEqual(host.azure.adminCidrs, ["0.0.0.0/0"]);
  });
});

/** Reads a configuration that differs from the defaults of Pulumi.yaml in these keys. */
function read(keys: Record<string, unknown>): HostConfig {
  const { config } = parse(readFileSync(join(__dirname, "../../../Pulumi.yaml"), "utf8")) as {
    config: Record<string, { default: unknown }>;
  };
  const defaults = Object.entries(config).map(([key, declared]) => [key, declared.default]);
  const given = Object.entries(keys).map(([key, value]) => [`store:${key}`, value]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(
      [...defaults, ...given].map(([key, value]: unknown[]) => [
        String(key),
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  );
  return readHostConfig(new pulumi.Config("store"));
}

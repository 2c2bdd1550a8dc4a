import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostArgs } from "../../../components/host/createHost";
import { readConfig } from "../../../config/config";
import { withEnvironment } from "../environment";
import { keyPair } from "../host/keys";
import { resetConfig, setConfig } from "./stackConfig";

const { public: PUBLIC_KEY, private: PRIVATE_KEY } = keyPair();

const UBUNTU = "Canonical:ubuntu-24_04-lts:server:latest";
const SUBNET_ID =
  "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub/subnets/vms";

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

describe("readConfig().host", () => {
  afterEach(resetConfig);

  it("defaults to this machine", () => {
    assert.deepEqual(read({}), {
      ...{ kind: "local", dockerHost: "unix:///test.sock", certPath: undefined, logins: [] },
    });
  });

  it("accepts Azure with a registry, an owner and address ranges for SSH", () => {
    const host = read(azure);
    assert.ok(host.kind === "azure");
    assert.equal(host.vmSize, "Standard_DS2_v2");
    assert.deepEqual(host.adminCidrs, ["203.0.113.7/32"]);
    assert.ok("address" in host.registry);
    assert.equal(host.registry.namespace, "store");
    assert.equal(host.shutdown, undefined);
    assert.equal(host.https, false);
  });

  it("opens the port for HTTPS in Azure if the stack has a name", () => {
    for (const name of [{ dnsLabel: "shop" }, { domain: "shop.example.org" }]) {
      const host = read({ ...azure, ...name });
      assert.ok(host.kind === "azure");
      assert.equal(host.https, true);
    }
  });

  it("accepts Azure with a registry that the stack creates", () => {
    const host = read({ ...azure, registry: {}, azureRegistry: "Standard" });
    assert.ok(host.kind === "azure");
    assert.deepEqual(host.registry, { tier: "Standard" });
  });

  it("keeps the registry's password and the login key secret", async () => {
    const host = read({ ...azure, sshPublicKey: PUBLIC_KEY, sshPrivateKey: PRIVATE_KEY });
    assert.ok(host.kind === "azure");
    assert.ok("pull" in host.registry && host.registry.pull && "password" in host.registry.pull);
    assert.equal(await pulumi.isSecret(pulumi.output(host.registry.pull.password)), true);
    assert.equal(await pulumi.isSecret(pulumi.output(host.loginKey?.private ?? "")), true);
  });

  it("pulls with a login of its own if the registry has one, which stays secret", async () => {
    const pull = { pullUsername: "puller", pullPassword: "for-pulling" };
    const host = read({ ...azure, registry: { ...azure.registry, ...pull } });
    assert.ok(host.kind === "azure" && "pull" in host.registry && host.registry.pull);
    assert.ok("username" in host.registry.pull);
    assert.equal(host.registry.pull.username, "puller");
    assert.equal(await pulumi.isSecret(pulumi.output(host.registry.pull.password)), true);
    assert.ok(typeof host.registry.push === "object" && "username" in host.registry.push);
    assert.equal(host.registry.push.username, "store");
    const pushedByUser = read({ ...azure, registry: { address: "registry.example.com", ...pull } });
    assert.ok(pushedByUser.kind === "azure" && "pull" in pushedByUser.registry);
    assert.equal(pushedByUser.registry.push, "user");
    assert.ok(pushedByUser.registry.pull && "username" in pushedByUser.registry.pull);
  });

  it("warns of the registry's passwords in clear, without showing them", () => {
    const registry = { ...azure.registry, pullUsername: "puller", pullPassword: "hidden, too" };
    const warnings = (encrypted: readonly string[]): string => {
      setConfig(
        { dockerHost: "unix:///test.sock", ...azure, dnsLabel: "shop", registry },
        encrypted,
      );
      const lines = readConfig(new Map()).warnings;
      return lines.filter((line) => line.includes("registry")).join("\n");
    };
    assert.match(
      warnings([]),
      /^store:registry\.password: isn't encrypted.*\nstore:registry\.pullPassword: isn't encrypted/,
    );
    assert.doesNotMatch(warnings([]), /hidden/);
    assert.equal(warnings(["store:registry"]), "");
  });

  it("uses the user's docker login at a registry without a username", async () => {
    const folder = mkdtempSync(join(tmpdir(), "store-test-"));
    try {
      const own = { ...azure, registry: { address: "registry.example.com" } };
      await withEnvironment({ DOCKER_CONFIG: folder }, () => {
        const anonymous = read(own);
        assert.ok(anonymous.kind === "azure" && "pull" in anonymous.registry);
        assert.deepEqual([anonymous.registry.push, anonymous.registry.pull], ["user", undefined]);
        const auths = { "registry.example.com": { auth: "bWU6c2VjcmV0" } };
        writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
        const host = read(own);
        assert.ok(host.kind === "azure" && "pull" in host.registry);
        assert.deepEqual(host.registry.pull, { address: "registry.example.com" });
        const local = read({ postgresImage: "registry.example.com/postgres:18.4" });
        assert.ok(local.kind === "local");
        assert.deepEqual(local.logins, [{ address: "registry.example.com" }]);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("accepts an SSH machine without a registry", () => {
    const ssh = {
      host: "ssh",
      sshAddress: "shop.example.org",
      sshHostKey: PUBLIC_KEY,
      sshPrivateKey: PRIVATE_KEY,
    };
    const host = read({ ...ssh, sshUser: "jane.doe" });
    assert.ok(host.kind === "ssh");
    assert.equal(host.user, "jane.doe");
    assert.throws(() => read({ ...ssh, sshUser: "-oProxyCommand=x" }), /store:sshUser/);
    assert.equal(host.registry, undefined);
    assert.equal(host.port, 22);
  });

  const worker = { address: "w1.example.org", hostKey: PUBLIC_KEY };
  const swarm = {
    host: "ssh",
    sshAddress: "shop.example.org",
    sshHostKey: PUBLIC_KEY,
    sshPrivateKey: PRIVATE_KEY,
    sshUser: "deploy",
    registry: { address: "r.io" },
  };

  it("accepts workers of an SSH machine, whose user and port are the usual ones unless they say so", () => {
    const host = read({
      ...swarm,
      workers: [worker, { ...worker, address: "w2", user: "jane", port: 2222 }],
    });
    assert.ok(host.kind === "ssh");
    assert.deepEqual(host.workers, [
      { ...worker, user: "deploy", port: 22 },
      { ...worker, address: "w2", user: "jane", port: 2222 },
    ]);
  });

  const refusals: readonly [what: string, change: Record<string, unknown>, message: RegExp][] = [
    ["an unknown host", { host: "aws" }, /^store:host: "aws" should be one of local, azure, ssh/],
    ["Azure without a registry", { registry: {} }, /^store:registry: .*registry\.address/],
    [
      "an unknown registry tier",
      { registry: {}, azureRegistry: "Classic" },
      /^store:azureRegistry: "Classic" should be one of Basic, Standard, Premium/,
    ],
    [
      "two registries for Azure",
      { azureRegistry: "Basic" },
      /^store:azureRegistry: is set, and so is store:registry/,
    ],
    [
      "a registry in Azure for an SSH machine",
      { host: "ssh", registry: {}, azureRegistry: "Basic" },
      /^store:azureRegistry: .*store:host is ssh/,
    ],
    [
      "a registry without a password",
      { registry: { address: "r.io", username: "u" } },
      /^store:registry: r\.io needs a username and a password, or neither/,
    ],
    [
      "a login for pulling without a password",
      { registry: { address: "r.io", pullUsername: "u" } },
      /^store:registry: r\.io needs a pullUsername and a pullPassword, or neither/,
    ],
    [
      "a registry without an address",
      { registry: { username: "u" } },
      /^store:registry: is empty, but a VM/,
    ],
    [
      "a registry address with a scheme",
      { registry: { address: "https://r.io" } },
      /^store:registry\.address: "https:/,
    ],
    [
      "Azure without address ranges for SSH",
      { adminCidrs: [] },
      /^store:adminCidrs: .*nobody could log in.*: \.\/store pulumi config set -s \S+ --path 'adminCidrs\[0\]' /,
    ],
    [
      "an invalid address range",
      { adminCidrs: ["203.0.113.300/32"] },
      /^store:adminCidrs: "203\.0\.113\.300\/32"/,
    ],
    [
      "an address range with host bits",
      { adminCidrs: ["203.0.113.7/24"] },
      /^store:adminCidrs: "203\.0\.113\.7\/24" should be 203\.0\.113\.0\/24, or 203\.0\.113\.7\/32 for this address alone/,
    ],
    [
      "overlapping address ranges",
      { adminCidrs: ["198.51.100.0/24", "203.0.113.0/24", "203.0.113.7/32"] },
      /^store:adminCidrs: 203\.0\.113\.7\/32 is part of 203\.0\.113\.0\/24\. Remove it/,
    ],
    [
      "the same address range twice",
      { adminCidrs: ["203.0.113.7/32", "203.0.113.7/32"] },
      /^store:adminCidrs: 203\.0\.113\.7\/32 is part of 203\.0\.113\.7\/32/,
    ],
    [
      "another address range beside the whole internet",
      { adminCidrs: ["203.0.113.7/32", "0.0.0.0/0"], sshFromAnywhere: true },
      /^store:adminCidrs: 203\.0\.113\.7\/32 is part of 0\.0\.0\.0\/0/,
    ],
    ...["127.1.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "168.0.0.0/8"].map(
      (addressRange): [string, Record<string, unknown>, RegExp] => [
        `the reserved network ${addressRange}`,
        { addressRange },
        /^store:addressRange: .*reserved by Azure/,
      ],
    ),
    [
      "NVMe disks with Debian 12",
      { vmSize: "Standard_D2as_v6" },
      /^store:vmSize: Standard_D2as_v6 has NVMe disks.*Debian:debian-13/,
    ],
    ["a network with host bits", { addressRange: "10.20.0.1/16" }, /^store:addressRange/],
    ["a network that is too small", { addressRange: "10.20.0.0/30" }, /^store:addressRange/],
    [
      "an address range without a prefix length",
      { adminCidrs: ["203.0.113.7"] },
      /^store:adminCidrs: "203\.0\.113\.7"/,
    ],
    [
      "SSH from everywhere without confirmation",
      { adminCidrs: ["0.0.0.0/0"] },
      /^store:adminCidrs: opens SSH to the whole internet/,
    ],
    [
      "SSH from everywhere in two halves",
      { adminCidrs: ["0.0.0.0/1", "128.0.0.0/1"] },
      /^store:adminCidrs: opens SSH to the whole internet/,
    ],
    [
      "SSH from a large part of the internet",
      { adminCidrs: ["64.0.0.0/6"] },
      /^store:adminCidrs: opens SSH to the whole internet, or most of it/,
    ],
    ["a user name that Azure forbids", { adminUser: "admin" }, /^store:adminUser: "admin"/],
    ["a user name of the system", { adminUser: "video" }, /^store:adminUser: "video"/],
    [
      "an RSA host key",
      { host: "ssh", sshAddress: "a.b", sshHostKey: `ssh-rsa ${"A".repeat(80)}` },
      /^store:sshHostKey: .*ed25519/,
    ],
    ["Azure without an owner", { owner: "" }, /^store:owner: is empty/],
    [
      "a tag with a reserved prefix",
      { tags: { "Azure-cost": "x" } },
      /^store:tags\.Azure-cost: a tag's name can't begin with microsoft, azure or windows/,
    ],
    [
      "a tag with a forbidden character",
      { tags: { "cost/centre": "x" } },
      /^store:tags\.cost\/centre: a tag's name can't contain any of/,
    ],
    [
      "a tag of the program",
      { tags: { Owner: "x" } },
      /^store:tags\.Owner: is set by the program itself/,
    ],
    ["a tag with a long name", { tags: { ["n".repeat(513)]: "x" } }, /1 to 512 characters/],
    [
      "a tag with a long value",
      { tags: { costCentre: "v".repeat(257) } },
      /^store:tags\.costCentre: "v+" should have at most 256 characters/,
    ],
    ["a tag without text", { tags: { a: ["x"] } }, /^store:tags\.a: .*should be text/],
    ["a list of tags", { tags: ["a"] }, /^store:tags: .*should be values by tag/],
    [
      "more than 47 tags",
      { tags: Object.fromEntries(Array.from({ length: 48 }, (_, i) => [`t${i}`, "v"])) },
      /^store:tags: has 48 tags, and the program adds three\. Azure permits 50: remove 1/,
    ],
    [
      "two tags that differ in case",
      { tags: { Team: "a", team: "b" } },
      /^store:tags: has team twi/,
    ],
    ["a resource group with a dot at its end", { resourceGroup: "group." }, /^store:resourceGroup/],
    ["an ID as a resource group", { resourceGroup: "/subscriptions/x" }, /^store:resourceGroup/],
    [
      "a subnet's name instead of its ID",
      { subnetId: "vms" },
      /^store:subnetId: "vms" should be the ID/,
    ],
    [
      "an address range together with a subnet",
      { subnetId: SUBNET_ID, addressRange: "10.1.0.0/16" },
      /^store:addressRange: .*store:subnetId names an existing subnet/,
    ],
    [
      "a subnet in another subscription",
      { subnetId: SUBNET_ID, subscriptionId: "99999999-2222-4333-8444-555555555555" },
      /^store:subnetId: is in the subscription 11111111-.*, but store:subscriptionId is 99999999-/,
    ],
    ["a lock that is no flag", { dataDiskLock: "yes" }, /^store:dataDiskLock: .*true or false/],
    ["snapshots that are no flag", { diskSnapshots: 3 }, /^store:diskSnapshots: .*true or false/],
    [
      "Trusted Launch with Debian 13",
      { trustedLaunch: true, vmImage: "Debian:debian-13:13-gen2:latest" },
      /^store:trustedLaunch: .*Debian 13.*ubuntu-24_04-lts/,
    ],
    [
      "a Docker version of another release",
      {
        dockerVersion: "5:28.5.2-1~debian.12~bookworm",
        vmImage: "Debian:debian-13:13-gen2:latest",
      },
      /^store:dockerVersion: .* for debian 12, but store:vmImage is Debian:debian-13/,
    ],
    [
      "a Docker version of another distribution",
      { dockerVersion: "5:28.5.2-1~debian.12~bookworm", vmImage: UBUNTU },
      /^store:dockerVersion: .* for debian 12, but store:vmImage is Canonical/,
    ],
    ["an image without a version", { vmImage: "Debian:debian-12" }, /^store:vmImage/],
    ["an invalid shutdown time", { shutdownTime: "2500" }, /^store:shutdownTime/],
    ["an unknown source of Docker", { dockerSource: "snap" }, /^store:dockerSource/],
    ["a timeout of 0 minutes", { readyMinutes: 0 }, /^store:readyMinutes: 0/],
    [
      "a public key without its private key",
      { sshPublicKey: PUBLIC_KEY },
      /^store:sshPrivateKey: .*pair/,
    ],
    ["an invalid public key", { sshPublicKey: "hello", sshPrivateKey: "x" }, /^store:sshPublicKey/],
    [
      "an invalid private key",
      { sshPublicKey: PUBLIC_KEY, sshPrivateKey: "x" },
      /^store:sshPrivateKey/,
    ],
    [
      "an SSH machine without a login key",
      { host: "ssh", sshAddress: "a.b", sshHostKey: PUBLIC_KEY },
      /^store:sshPrivateKey/,
    ],
    [
      "workers of a host that isn't reached by SSH",
      { workers: [worker] },
      /^store:workers: .*store:host is azure.*config set.* host ssh/,
    ],
    [
      "several VMs of an SSH machine",
      { ...swarm, hosts: 3 },
      /^store:hosts: .*store:host is ssh.*config set.* --path 'workers\[0\]\.address'/,
    ],
    [
      "several VMs on this machine",
      { host: "local", hosts: 2 },
      /^store:hosts: .*store:host is local.*config set.* host azure/,
    ],
    ["no VM at all", { hosts: 0 }, /^store:hosts: 0 should be/],
    ["more VMs than anybody needs", { hosts: 21 }, /^store:hosts: 21 should be/],
    [
      "several VMs without a registry",
      { hosts: 2, registry: {} },
      /^store:registry: .*azureRegistry Basic/,
    ],
    [
      "a network that overlaps with Swarm's",
      { hosts: 2, addressRange: "172.16.0.0/12" },
      /^store:addressRange: .*overlaps with 172\.30\.0\.0\/16/,
    ],
    [
      "workers without a registry",
      { ...swarm, registry: {}, workers: [worker] },
      /^store:workers: needs a registry/,
    ],
    [
      "a worker that is the host itself",
      { ...swarm, workers: [{ ...worker, address: "shop.example.org" }] },
      /^store:workers: names shop\.example\.org twice/,
    ],
    ["a worker without a host key", { ...swarm, workers: [{ address: "w1" }] }, /^store:workers/],
    ["a list of addresses as workers", { ...swarm, workers: ["w1"] }, /^store:workers.*\{address/],
    [
      "a misspelled field of a worker",
      { ...swarm, workers: [{ ...worker, sshPort: 22 }] },
      /^store:workers/,
    ],
    [
      "an SSH machine without a host key",
      { host: "ssh", sshAddress: "a.b", sshPrivateKey: PRIVATE_KEY },
      /^store:sshHostKey/,
    ],
  ];
  for (const [what, change, message] of refusals) {
    it(`rejects ${what} and names the key`, () => {
      assert.throws(() => read({ ...azure, ...change }), { message });
    });
  }

  it("accepts several VMs, and with one VM any network", () => {
    const several = read({ ...azure, hosts: 3 });
    assert.ok(several.kind === "azure");
    assert.equal(several.hosts, 3);
    const one = read({ ...azure, addressRange: "172.16.0.0/12" });
    assert.ok(one.kind === "azure");
    assert.equal(one.hosts, 1);
  });

  it("knows the range of components/swarm/init.sh", () => {
    const script = readFileSync(join(__dirname, "../../../components/swarm/init.sh"), "utf8");
    assert.match(script, /--default-addr-pool 172\.30\.0\.0\/16/);
  });

  it("accepts tags, an existing group and subnet, a lock and snapshots", () => {
    const options = {
      resourceGroup: "team-rg_(1)",
      subnetId: SUBNET_ID,
      dataDiskLock: true,
      diskSnapshots: true,
    };
    const host = read({ ...azure, ...options, tags: { costCentre: 1234, "env name": "" } });
    assert.ok(host.kind === "azure");
    const { resourceGroup, subnetId, dataDiskLock, diskSnapshots, tags } = host;
    assert.deepEqual({ resourceGroup, subnetId, dataDiskLock, diskSnapshots }, options);
    assert.deepEqual(tags, { costCentre: "1234", "env name": "" });
  });

  it("uses none of these options by default", () => {
    const host = read(azure);
    assert.ok(host.kind === "azure");
    const { resourceGroup, subnetId, dataDiskLock, diskSnapshots, tags } = host;
    assert.deepEqual(
      [resourceGroup, subnetId, dataDiskLock, diskSnapshots, tags],
      [...[undefined, undefined, false, false, {}]],
    );
  });

  it("reports all mistakes in these options at once, each with its key", () => {
    const wrong = { tags: { "a?": "x", "b%": "y" }, resourceGroup: "/", subnetId: "x" };
    assert.throws(
      () => read({ ...azure, ...wrong }),
      (error: Error) => {
        const keys = error.message.split("\n").map((line) => /^store:([^:]+):/.exec(line)?.[1]);
        assert.deepEqual(keys, ["tags.a?", "tags.b%", "resourceGroup", "subnetId"]);
        return true;
      },
    );
  });

  it("accepts Ubuntu 24.04 with Trusted Launch, NVMe disks and its own Docker version", () => {
    const host = read({
      ...azure,
      vmImage: UBUNTU,
      vmSize: "Standard_D2as_v6",
      trustedLaunch: true,
      dockerVersion: "5:28.5.2-1~ubuntu.24.04~noble",
    });
    assert.ok(host.kind === "azure");
    assert.equal(host.vmImage, UBUNTU);
  });

  it("accepts a VM with NVMe disks and another image", () => {
    const host = read({
      ...azure,
      vmSize: "Standard_D2as_v6",
      vmImage: "Debian:debian-13:13-gen2:latest",
    });
    assert.ok(host.kind === "azure");
    assert.equal(host.vmSize, "Standard_D2as_v6");
  });

  it("accepts SSH from everywhere with store:sshFromAnywhere", () => {
    const host = read({ ...azure, adminCidrs: ["0.0.0.0/0"], sshFromAnywhere: true });
    assert.ok(host.kind === "azure");
    assert.deepEqual(host.adminCidrs, ["0.0.0.0/0"]);
  });
});

/** Reads the host of a configuration that differs from the defaults in these keys. */
function read(keys: Record<string, unknown>): HostArgs {
  setConfig({ dockerHost: "unix:///test.sock", ...keys });
  return readConfig(new Map()).host;
}

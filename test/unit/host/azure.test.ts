import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import type { AzureHost } from "../../../components/host/azure/azureHost";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { plain, promiseOf, Registered, reset, resource, resources } from "../mocks";
import { createAzureHost } from "./createAzureHost";
import { mockedInOwnFolder } from "./mockedFolder";

const VM = "azure-native:compute:VirtualMachine";
const NIC = "azure-native:network:NetworkInterface";
const SCHEDULE = "azure-native:devtestlab:GlobalSchedule";
const REMOTE_COMMAND = "command:remote:Command";

describe("AzureHost", () => {
  mockedInOwnFolder();
  /** Options of the last registered resource, by its type. */
  const options = new Map<string, pulumi.CustomResourceOptions>();
  beforeEach(() => options.clear());

  function host(args: Partial<AzureHostArgs> = {}): AzureHost {
    const login = { username: "store", password: "hidden" };
    const registry = {
      address: "registry.example.com",
      namespace: "store",
      push: login,
      pull: login,
    };
    return createAzureHost({ registry, ...args }, options);
  }
  const one = async (type: string): Promise<Registered> => {
    const [found, ...others] = await resources(type);
    assert.ok(found && others.length === 0, `one ${type} was expected`);
    return found;
  };

  it("uses the common providers, because each provider is a process", async () => {
    host();
    for (const [type, provider] of [
      [REMOTE_COMMAND, "commands"],
      ["random:index/randomString:RandomString", "passwords"],
    ] as const) {
      const found = await resources(type);
      assert.ok(found.length > 0, type);
      for (const one of found) assert.match(one.provider, new RegExp(`::${provider}::`), one.name);
    }
  });

  it("opens HTTP and HTTPS to everybody, SSH to the administrators, and no other port", async () => {
    host({ https: true, adminCidrs: ["203.0.113.7/32", "198.51.100.0/24"] });
    const { inputs } = await one("azure-native:network:NetworkSecurityGroup");
    const rules = inputs["securityRules"] as Record<string, unknown>[];
    assert.deepEqual(
      rules.map((rule) => [
        rule["destinationPortRange"],
        rule["sourceAddressPrefix"] ?? rule["sourceAddressPrefixes"],
      ]),
      [
        ["80", "Internet"],
        ["443", "Internet"],
        ["22", ["203.0.113.7/32", "198.51.100.0/24"]],
      ],
    );
    assert.ok(rules.every((rule) => rule["direction"] === "Inbound" && rule["protocol"] === "Tcp"));
    assert.equal(new Set(rules.map((rule) => rule["priority"])).size, rules.length);
  });

  it("doesn't open the port for HTTPS without HTTPS", async () => {
    host();
    const { inputs } = await one("azure-native:network:NetworkSecurityGroup");
    const rules = inputs["securityRules"] as Record<string, unknown>[];
    assert.deepEqual(
      rules.map((rule) => rule["name"]),
      ["http", "ssh"],
    );
  });

  it("protects the subnet by the network security group and disables default outbound access", async () => {
    host();
    const { inputs } = await one("azure-native:network:Subnet");
    assert.deepEqual(inputs["networkSecurityGroup"], { id: "host-id" });
    assert.equal(inputs["defaultOutboundAccess"], false);
  });

  it("has accelerated networking if the VM's size supports it, and changes no existing interface", async () => {
    host();
    assert.equal((await one(NIC)).inputs["enableAcceleratedNetworking"], true);
    assert.deepEqual(options.get(NIC)?.ignoreChanges, ["enableAcceleratedNetworking"]);
    reset();
    host({ vmSize: "Standard_B2s" });
    assert.equal((await one(NIC)).inputs["enableAcceleratedNetworking"], false);
  });

  it("has a static address", async () => {
    host({ dnsLabel: "shop" });
    const { inputs } = await one("azure-native:network:PublicIPAddress");
    assert.deepEqual(inputs["sku"], { name: "Standard", tier: "Regional" });
    assert.equal(inputs["publicIPAllocationMethod"], "Static");
    assert.deepEqual(inputs["dnsSettings"], { domainNameLabel: "shop" });
  });

  it("creates a VM without password login that gets its host key by cloud-init", async () => {
    host();
    const { inputs } = await one(VM);
    const profile = plain(inputs["osProfile"]);
    const linux = profile["linuxConfiguration"] as Record<string, unknown>;
    assert.equal(linux["disablePasswordAuthentication"], true);
    assert.deepEqual(linux["ssh"], {
      publicKeys: [
        {
          path: "/home/azureuser/.ssh/authorized_keys",
          keyData: "ssh-ed25519 public-of-host-login-key",
        },
      ],
    });
    const customData = Buffer.from(String(profile["customData"]), "base64").toString();
    assert.match(customData, /^#cloud-config\n/);
    assert.match(customData, /private-of-host-host-key/);
    assert.doesNotMatch(customData, /host-login-key/);
  });

  it("replaces the VM where Azure refuses an update: size, image, first boot, login and security", async () => {
    host();
    await one(VM);
    const { replaceOnChanges = [], deleteBeforeReplace } = options.get(VM) ?? {};
    assert.equal(deleteBeforeReplace, true);
    const replaces = (path: string): boolean =>
      replaceOnChanges.some((prefix) => isPathIn(path, prefix));
    for (const path of [
      "hardwareProfile.vmSize",
      "osProfile.computerName",
      "osProfile.adminUsername",
      "osProfile.customData",
      "osProfile.linuxConfiguration.disablePasswordAuthentication",
      "osProfile.linuxConfiguration.ssh.publicKeys[0].keyData",
      "storageProfile.imageReference.sku",
      // The provider reports the whole profile if it was added or removed.
      "securityProfile",
      "securityProfile.encryptionAtHost",
      "securityProfile.uefiSettings.vTpmEnabled",
    ]) {
      assert.ok(replaces(path), path);
    }
  });

  it("ignores what Azure and its policies change by themselves", async () => {
    host();
    await one(VM);
    const { replaceOnChanges = [], ignoreChanges = [] } = options.get(VM) ?? {};
    for (const path of [
      "identity",
      "osProfile.allowExtensionOperations",
      "osProfile.linuxConfiguration.enableVMAgentPlatformUpdates",
      "osProfile.linuxConfiguration.patchSettings",
      "osProfile.secrets",
      "storageProfile.osDisk.diskSizeGB",
      "storageProfile.osDisk.managedDisk.storageAccountType",
    ]) {
      assert.ok(ignoreChanges.includes(path), path);
    }
    for (const path of [
      ...ignoreChanges,
      "osProfile",
      "osProfile.requireGuestProvisionSignal",
      "osProfile.linuxConfiguration.provisionVMAgent",
      "storageProfile.imageReference.exactVersion",
      "storageProfile.osDisk.name",
      "storageProfile.dataDisks[0].diskSizeGB",
    ]) {
      assert.ok(!replaceOnChanges.some((prefix) => isPathIn(path, prefix)), path);
    }
  });

  it("has a fixed name, because a failed creation reserves the network interface for that name", async () => {
    host();
    assert.equal((await one(VM)).inputs["vmName"], "host");
  });

  it("accepts a login key", async () => {
    host({ loginKey: { public: "ssh-rsa MINE", private: "PRIVATE" } });
    const { inputs } = await one(VM);
    assert.match(JSON.stringify(inputs["osProfile"]), /ssh-rsa MINE/);
    const [command] = await resources(REMOTE_COMMAND);
    assert.equal(plain(command?.inputs["connection"])["privateKey"], "PRIVATE");
  });

  it("keeps the data on a disk that outlives the VM, and not on the VM's own disk", async () => {
    const made = host();
    const { inputs } = await one(VM);
    const storage = inputs["storageProfile"] as Record<string, unknown>;
    assert.deepEqual(storage["dataDisks"], [
      {
        lun: 0,
        createOption: "Attach",
        managedDisk: { id: "host-data-id" },
        deleteOption: "Detach",
      },
    ]);
    assert.equal((storage["osDisk"] as Record<string, unknown>)["deleteOption"], "Delete");
    assert.equal(
      (made.dataVolume("orders").args.driverOpts as Record<string, string>)["device"],
      "/data/orders",
    );
    assert.equal(made.dataVolume("orders").protect, false);
  });

  it("finds the data disk by the name that the VM's size gives it", async () => {
    for (const [vmSize, device] of [
      ["Standard_DS2_v2", "/dev/disk/azure/scsi1/lun0"],
      ["Standard_D2as_v6", "/dev/disk/azure/data/by-lun/0"],
    ] as const) {
      reset();
      host({ vmSize });
      const { customData } = plain((await one(VM)).inputs["osProfile"]);
      const text = Buffer.from(String(customData), "base64").toString();
      const config = JSON.parse(text.replace("#cloud-config", "")) as { mounts: string[][] };
      assert.equal(config.mounts[0]?.[0], device);
    }
  });

  it("grows the file system to the data disk's size, then creates the folders", async () => {
    const made = host({ dataDiskGiB: 64 });
    const script = await promiseOf(pulumi.output(made.dataFolders(["billing", "orders"])));
    assert.match(script, /^mountpoint -q \/data /);
    assert.match(script, /\nset -- '\/data' '64'\n[^]*resize2fs/);
    assert.match(script, /install -d .* \/data\/billing \/data\/orders$/);
  });

  it("tags everything with the project, the stack and the owner", async () => {
    host({ shutdown: { time: "1900", timeZone: "AUS Eastern Standard Time" } });
    for (const type of [
      "azure-native:resources:ResourceGroup",
      "azure-native:network:VirtualNetwork",
      "azure-native:network:NetworkSecurityGroup",
      "azure-native:network:PublicIPAddress",
      NIC,
      "azure-native:compute:Disk",
      SCHEDULE,
      VM,
    ]) {
      assert.deepEqual(
        (await one(type)).inputs["tags"],
        { project: "store", stack: "test", owner: "store-team" },
        type,
      );
    }
  });

  it("has no shutdown schedule by default", async () => {
    host();
    assert.deepEqual(await resources(SCHEDULE), []);
  });

  it("deletes the shutdown schedule with the group, because Azure keeps it when the VM is deleted", async () => {
    host({ shutdown: { time: "1900", timeZone: "AUS Eastern Standard Time" } });
    assert.equal((await one(SCHEDULE)).inputs["name"], "shutdown-computevm-host");
    const { deletedWith } = options.get(SCHEDULE) ?? {};
    assert.ok(pulumi.Resource.isInstance(deletedWith));
    assert.match(await promiseOf(deletedWith.urn), /ResourceGroup::host$/);
  });

  it("waits by SSH with the pinned host key until cloud-init is done, and again on another VM", async () => {
    host();
    const { inputs } = await resource(REMOTE_COMMAND, "host-ready");
    const connection = plain(inputs["connection"]);
    assert.equal(connection["host"], "203.0.113.80");
    assert.equal(connection["hostKey"], "ssh-ed25519 public-of-host-host-key");
    assert.deepEqual(inputs["triggers"], ["vm-of-host"]);
    assert.match(String(inputs["stdin"]), /cloud-init status/);
    // Errors repeat the command, so the script isn't part of it.
    assert.doesNotMatch(String(inputs["create"]), /cloud-init/);
  });

  it("pins the host key for docker by private files with relative paths", async () => {
    host();
    const { inputs } = await one("pulumi:providers:docker");
    assert.equal(inputs["host"], "ssh://azureuser@203.0.113.80:22");
    const options = JSON.parse(String(inputs["sshOpts"])) as string[];
    assert.ok(options.includes("StrictHostKeyChecking=yes"));
    assert.ok(options.includes("UserKnownHostsFile=.store/ssh/test/known_hosts"));
    const identity = ".store/ssh/test/identity";
    assert.ok(options.includes(identity));
    assert.ok(existsSync(identity));
    assert.equal(statSync(identity).mode & 0o777, 0o600);
  });

  it("creates an Azure registry in its resource group if it gets a tier, and pulls from it", async () => {
    const made = host({ registry: { tier: "Basic" } });
    const { inputs } = await one("azure-native:containerregistry:Registry");
    assert.equal(inputs["resourceGroupName"], "group-of-host");
    assert.deepEqual(Object.keys(made.registry.push), ["azureRegistry"]);
    const provider = await one("pulumi:providers:docker");
    const login = JSON.stringify(provider.inputs["registryAuth"]);
    assert.match(login, /mine\.azurecr\.io/);
    assert.match(login, /host-pull/);
  });

  it("returns its SSH access as a secret", async () => {
    const { access } = host();
    assert.equal(await pulumi.isSecret(access), true);
    assert.equal((await promiseOf(access)).user, "azureuser");
  });
});

/** Checks that the property at `path` is the one at `prefix` or inside of it, by the rules of the engine. */
function isPathIn(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
}

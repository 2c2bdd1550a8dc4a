import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { AzureHost } from "../../../components/host/azure/azureHost";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import {
  plain,
  promiseOf,
  Registered,
  reset,
  resource,
  resources,
  SUBSCRIPTION_ID,
} from "../mocks";
import { createAzureHost, OWN_REGISTRY_AND_SCHEDULE } from "./createAzureHost";
import { mockedInOwnFolder } from "./mockedFolder";

const VM = "azure-native:compute:VirtualMachine";
const NIC = "azure-native:network:NetworkInterface";
const ADDRESS = "azure-native:network:PublicIPAddress";
const GROUP = "azure-native:network:NetworkSecurityGroup";
const SCHEDULE = "azure-native:devtestlab:GlobalSchedule";
const RANDOM = "random:index/randomString:RandomString";
const REMOTE_COMMAND = "command:remote:Command";
const SUBNET_ID = `${SUBSCRIPTION_ID}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub/subnets/vms`;

describe("An AzureHost with several VMs", () => {
  mockedInOwnFolder();
  const options = new Map<string, pulumi.CustomResourceOptions>();
  beforeEach(() => options.clear());

  function host(args: Partial<AzureHostArgs> = {}): AzureHost {
    return createAzureHost({ ...OWN_REGISTRY_AND_SCHEDULE, hosts: 3, ...args }, options);
  }
  const namesOf = async (type: string): Promise<string[]> =>
    (await resources(type)).map(({ name }) => name).sort();

  interface CloudInit {
    readonly write_files: readonly { readonly path: string; readonly content: string }[];
    readonly mounts?: unknown;
  }

  function cloudInitOf({ inputs }: Registered): CloudInit {
    const data = String(plain(inputs["osProfile"])["customData"]);
    const text = Buffer.from(data, "base64").toString();
    return JSON.parse(text.replace("#cloud-config", "")) as CloudInit;
  }
  const fileOf = ({ write_files: files }: CloudInit, path: string): string =>
    files.find((one) => one.path === path)?.content ?? "";

  it("has further VMs of the same size and image, with the same login key, a host key of their own, and no data disk", async () => {
    host();
    assert.deepEqual(await namesOf(VM), ["host", "worker-1", "worker-2"]);
    const first = await resource(VM, "host");
    for (const name of ["worker-1", "worker-2"]) {
      const { inputs } = await resource(VM, name);
      assert.equal(inputs["vmName"], name);
      for (const key of ["hardwareProfile", "location", "resourceGroupName", "tags"])
        assert.deepEqual(inputs[key], first.inputs[key], key);
      const storage = inputs["storageProfile"] as Record<string, unknown>;
      assert.equal("dataDisks" in storage, false);
      const profile = plain(inputs["osProfile"]);
      assert.equal(profile["computerName"], `store-test-${name.at(-1)}`);
      assert.match(JSON.stringify(profile["linuxConfiguration"]), /public-of-host-login-key/);
      const config = JSON.stringify(cloudInitOf({ ...first, inputs }));
      assert.match(config, new RegExp(`private-of-${name}-host-key`));
      assert.doesNotMatch(config, /\/data|formatEmptyDisk/);
    }
  });

  it("starts Docker on the workers without live-restore, and with what Swarm services can't say themselves", async () => {
    host();
    const daemon = fileOf(cloudInitOf(await resource(VM, "worker-1")), "/etc/docker/daemon.json");
    const settings = JSON.parse(daemon) as Record<string, unknown>;
    assert.equal(settings["live-restore"], false);
    assert.equal(settings["no-new-privileges"], true);
    assert.equal(settings["log-driver"], "local");
  });

  it("keeps instances with a way out away from the ports of their worker", async () => {
    host();
    const path = "/etc/systemd/system/store-firewall.service";
    const unit = fileOf(cloudInitOf(await resource(VM, "worker-1")), path);
    assert.match(unit, /--in-interface docker_gwbridge .*--jump REJECT/);
    assert.match(unit, /169\.254\.169\.254 --jump REJECT/);
  });

  it("leaves the VM of the host as it is with one VM", async () => {
    host();
    const several = await resource(VM, "host");
    reset();
    host({ hosts: 1 });
    assert.deepEqual((await resource(VM, "host")).inputs, several.inputs);
    assert.deepEqual(await namesOf(VM), ["host"]);
    assert.deepEqual(await namesOf(GROUP), ["host"]);
  });

  it("switches live-restore off on the host before the swarm, and on again after it", async () => {
    host();
    const { inputs } = await resource(REMOTE_COMMAND, "swarm-live-restore");
    assert.match(String(inputs["create"]), /set -- '\\''false'\\''/);
    assert.match(String(inputs["delete"]), /set -- '\\''true'\\''/);
    reset();
    host({ hosts: 1 });
    assert.deepEqual(
      (await namesOf(REMOTE_COMMAND)).filter((name) => name.startsWith("swarm")),
      [],
    );
  });

  it("opens Swarm's ports to the subnet, and closes them to the rest of the virtual network", async () => {
    host();
    const { inputs } = await resource(GROUP, "host");
    const rules = (inputs["securityRules"] as Record<string, unknown>[]).slice(-3);
    assert.deepEqual(
      rules.map((rule) => [
        rule["access"],
        rule["protocol"],
        rule["sourceAddressPrefix"] ?? rule["sourceAddressPrefixes"],
        rule["destinationPortRanges"],
      ]),
      [
        ["Allow", "Tcp", ["10.20.0.0/16"], ["2377", "7946"]],
        ["Allow", "Udp", ["10.20.0.0/16"], ["4789", "7946"]],
        ["Deny", "*", "VirtualNetwork", ["2377", "4789", "7946"]],
      ],
    );
    const priorities = rules.map((rule) => Number(rule["priority"]));
    assert.deepEqual(priorities, [...priorities].sort());
  });

  it("opens nothing of the workers but SSH to the administrators", async () => {
    host({ https: true });
    const { inputs } = await resource(GROUP, "workers");
    const rules = inputs["securityRules"] as Record<string, unknown>[];
    assert.deepEqual(
      rules.map(({ name }) => name),
      ["ssh", "swarm-tcp", "swarm-udp", "swarm-others"],
    );
    assert.deepEqual(rules[0]?.["sourceAddressPrefixes"], ["203.0.113.7/32"]);
    for (const name of ["worker-1", "worker-2"])
      assert.deepEqual((await resource(NIC, name)).inputs["networkSecurityGroup"], {
        id: "workers-id",
      });
  });

  it("has an address for each worker without a DNS name, and its interface in the host's subnet", async () => {
    host();
    const { inputs } = await resource(ADDRESS, "worker-1");
    assert.deepEqual(inputs["sku"], { name: "Standard", tier: "Regional" });
    assert.equal("dnsSettings" in inputs, false);
    const subnetOf = async (name: string): Promise<unknown> => {
      const [first] = (await resource(NIC, name)).inputs["ipConfigurations"] as [object];
      return Reflect.get(first, "subnet");
    };
    assert.deepEqual(await subnetOf("worker-1"), await subnetOf("host"));
  });

  it("uses the ranges and the names of an existing subnet and group", async () => {
    host({ resourceGroup: "shared", subnetId: SUBNET_ID });
    const { inputs } = await resource(GROUP, "workers");
    const rules = inputs["securityRules"] as Record<string, unknown>[];
    assert.deepEqual(rules[1]?.["sourceAddressPrefixes"], ["10.1.2.0/24"]);
    assert.equal((await resource(VM, "worker-2")).inputs["vmName"], "store-test-2");
  });

  it("shuts each VM down at night", async () => {
    host();
    assert.deepEqual(await namesOf(SCHEDULE), [
      "shutdown",
      "shutdown-worker-1",
      "shutdown-worker-2",
    ]);
  });

  it("joins each worker again when it, or the host, is another VM", async () => {
    host();
    const { inputs } = await resource(REMOTE_COMMAND, "swarm-join-worker-1");
    const own = options.get(`${REMOTE_COMMAND}::swarm-join-worker-1`);
    const trigger = pulumi.output(own?.replacementTrigger as pulumi.Input<string> | undefined);
    assert.equal(await promiseOf(trigger), "vm-of-worker-1 vm-of-host");
    // Docker may go on with the former swarm's network agent.
    assert.match(String(inputs["delete"]), /swarm leave --force[^]*systemctl restart docker/);
    // Otherwise it would leave the swarm on a VM that may be gone.
    assert.equal("triggers" in inputs, false);
    // The token of before is useless.
    const invitation = await resource(REMOTE_COMMAND, "swarm-invitation-worker-1");
    assert.equal((invitation.inputs["triggers"] as string[]).at(-1), "vm-of-worker-1");
  });

  it("deletes what a script has created before it runs again, because the next VM has the same address", async () => {
    host();
    await resources(REMOTE_COMMAND);
    for (const name of ["init", "live-restore", "join-worker-1", "join-worker-2"]) {
      const own = options.get(`${REMOTE_COMMAND}::swarm-${name}`);
      assert.ok(own, name);
      assert.equal(own.deleteBeforeReplace, true, name);
      assert.ok(pulumi.Resource.isInstance(own.deletedWith), name);
    }
  });

  it("leaves everything in Docker on a replaced VM alone, because the provider fails for a Swarm service that is gone", async () => {
    const { childOptions } = host();
    const deletedWith = async (type: string): Promise<string> => {
      const args = { type, name: "orders", props: {}, opts: {} };
      const changed = (childOptions.transformations ?? [])
        .map((transform) => transform({ ...args, resource: undefined as never }))
        .find((result) => result?.opts.deletedWith !== undefined);
      const { deletedWith } = (changed?.opts ?? {}) as pulumi.CustomResourceOptions;
      assert.ok(pulumi.Resource.isInstance(deletedWith), type);
      return promiseOf(deletedWith.urn);
    };
    for (const type of ["container:Container", "service:Service", "secret:Secret"])
      assert.match(await deletedWith(`docker:index/${type}`), /RandomString::host-generation$/);
    const own = options.get(`${RANDOM}::host-generation`);
    const trigger = pulumi.output(own?.replacementTrigger as pulumi.Input<string> | undefined);
    assert.equal(await promiseOf(trigger), "vm-of-host");
  });

  it("returns the access to the workers as part of its own", async () => {
    const { workers = [] } = await promiseOf(host().access);
    assert.deepEqual(
      workers.map(({ name, user, port, hostKey }) => [name, user, port, hostKey]),
      ["worker-1", "worker-2"].map((name) => [
        name,
        "azureuser",
        22,
        `ssh-ed25519 public-of-${name}-host-key`,
      ]),
    );
  });
});

import assert from "node:assert/strict";
import {
  closedTo,
  containerAddress,
  filterScript,
} from "@store/azure-emulator/network/machineFilter";
import { allowedBy, type Connection } from "@store/azure-emulator/network/rules";
import { Properties } from "@store/azure-emulator/arm/values";
import { IDS, rule, STAGING, TestCloud } from "./fixture";

const DOCKER = { prefix: "10.213.7", reserved: 128 };
/** The rules of the program for several VMs: securityRules.ts. */
const SWARM: Properties[] = [
  rule("ssh", 120, ["127.0.0.1/32"], "22"),
  { ...rule("swarm", 130, ["10.20.0.0/16"], "7946"), protocol: "Tcp" },
  { ...rule("swarm-udp", 140, ["10.20.0.0/16"], "4789"), protocol: "Udp" },
  {
    ...{ name: "others", priority: 150, direction: "Inbound", access: "Deny", protocol: "*" },
    ...{ sourceAddressPrefix: "VirtualNetwork", sourcePortRange: "*" },
    ...{ destinationAddressPrefix: "*", destinationPortRanges: ["4789", "7946"] },
  },
];

describe("Security groups within a virtual network", () => {
  const isOpen = (change: Partial<Connection>): boolean =>
    allowedBy(SWARM, {
      source: "10.20.0.5",
      isWithin: true,
      protocol: "tcp",
      port: 7946,
      ...change,
    });

  it("allow what a rule allows, by protocol, and everything that no rule names", () => {
    assert.ok(isOpen({}));
    assert.ok(isOpen({ protocol: "udp", port: 4789 }));
    assert.ok(isOpen({ port: 22 }));
    assert.ok(!isOpen({ protocol: "udp", port: 7946 }));
    assert.ok(!isOpen({ port: 4789 }));
  });

  it("deny peered networks what is denied to VirtualNetwork, and allow them the rest", () => {
    assert.ok(!isOpen({ source: "10.99.0.4" }));
    assert.ok(isOpen({ source: "10.99.0.4", port: 8080 }));
  });

  it("deny the internet what no rule allows", () => {
    const internet = { source: "192.0.2.1", isWithin: false };
    assert.ok(!isOpen({ ...internet, port: 8080 }));
    assert.ok(!isOpen(internet));
    const open = [{ ...rule("http", 100, [], "80"), sourceAddressPrefix: "Internet" }];
    const connection = { source: "192.0.2.1", protocol: "tcp", port: 80 } as const;
    assert.ok(allowedBy(open, { ...connection, isWithin: false }));
    assert.ok(allowedBy([], { ...connection, isWithin: true }));
  });

  it("close the ports that one of two groups closes", () => {
    const closed = closedTo([SWARM, []], { source: "10.99.0.4", isWithin: true });
    assert.deepEqual(
      closed.map(({ protocol, from, to }) => `${protocol} ${from}-${to}`),
      ["tcp 4789-4789", "tcp 7946-7946", "udp 4789-4789", "udp 7946-7946"],
    );
  });
});

describe("The filter of an emulated VM", () => {
  let test: TestCloud;
  beforeEach(async () => {
    test = new TestCloud();
    await test.all();
    await test.update("securityGroup", "securityRules", SWARM);
    const [nic, properties] = STAGING.nic;
    const [{ publicIPAddress: _, ...first }] = properties.ipConfigurations;
    await test.cloud.create(nic, {
      ...properties,
      networkInterfaceName: "nic2",
      ipConfigurations: [first],
    });
    const [machine, vm] = STAGING.machine;
    await test.cloud.create(machine, {
      ...vm,
      vmName: "vm2",
      storageProfile: { ...vm.storageProfile, dataDisks: [] },
      networkProfile: { networkInterfaces: [{ id: IDS.nic.replace(/nic$/, "nic2") }] },
    });
  });
  afterEach(() => test.dispose());

  const script = (): string => {
    const machine = test.cloud.get(IDS.machine);
    assert.ok(machine);
    return filterScript(machine, test.cloud, DOCKER);
  };

  it("drops what the groups deny to the other VM, and lets the rest of the network in", () => {
    const rules = script().match(/-s 10\.213\.7\.5 .*?(?= &&|$)/gm) ?? [];
    assert.deepEqual(rules, [
      "-s 10.213.7.5 -p tcp --dport 4789:4789 -j DROP",
      "-s 10.213.7.5 -p udp --dport 7946:7946 -j DROP",
      "-s 10.213.7.5 -j RETURN",
    ]);
  });

  it("lets the emulated edge and answers in first, and drops everything else that no rule allows", () => {
    const [, , answers = "", edge = "", ...rest] = script().split("\n");
    assert.match(answers, /ESTABLISHED,RELATED -j RETURN/);
    assert.match(edge, /-s 10\.213\.7\.1 -j RETURN/);
    assert.match(rest.join("\n"), /-p tcp --dport 0:21 -j DROP/);
  });

  it("gives each VM the address that its interface has in the subnet, and keeps it", () => {
    const subnet = test.cloud.get(IDS.subnet);
    const at = (privateAddress: string): string | undefined =>
      containerAddress({ privateAddress, subnet }, DOCKER);
    assert.equal(at("10.20.1.4"), "10.213.7.4");
    assert.throws(
      () => at("10.20.1.200"),
      /no address for a VM with the private address 10\.20\.1\.200/,
    );
    assert.equal(containerAddress({ privateAddress: "", subnet: undefined }, DOCKER), undefined);
  });
});

import assert from "node:assert/strict";
import { covers } from "@store/cli/review/collect/exposure";
import type { Danger } from "@store/cli/review/model/reviewModel";
import { previewEvents, reviewOf, summaryOf, type TestStep } from "./reviews";

const VOLUME = "docker:index/volume:Volume";
const CONTAINER = "docker:index/container:Container";
const FIREWALL = "azure-native:network:NetworkSecurityGroup";
const MACHINE = "azure-native:compute:VirtualMachine";
const DISK = "azure-native:compute:Disk";

const UNCHANGED: TestStep = { op: "same", type: CONTAINER, name: "orders-0" };

function dangersOf(...steps: readonly TestStep[]): Danger[] {
  return reviewOf({ events: previewEvents(UNCHANGED, ...steps) }).dangers;
}

function rule(port: string, ...sources: readonly string[]) {
  return {
    ...{ name: "ssh", direction: "Inbound", access: "Allow" },
    ...{ destinationPortRange: port, sourceAddressPrefixes: sources },
  };
}

function firewall(before: readonly unknown[], after: readonly unknown[]): Danger[] {
  return dangersOf({
    ...{ op: "update", type: FIREWALL, name: "host" },
    before: { securityRules: before },
    after: { securityRules: after },
  });
}

describe("dangers of a preview", () => {
  it("has data at risk where a volume, a disk or anything protected is deleted or replaced", () => {
    const dangers = dangersOf(
      { op: "delete", type: VOLUME, name: "reviews-data", before: {} },
      { op: "replace", type: DISK, name: "host-data", before: {}, after: {} },
      {
        op: "delete",
        type: "random:index/randomPassword:RandomPassword",
        name: "p",
        before: {},
        protect: true,
      },
    );
    assert.deepEqual(
      dangers.map(({ kind, name }) => `${kind} ${name}`),
      ["data host-data", "data p", "data reviews-data"],
    );
  });

  it("has none where a volume holds files of the program or certificates, or is a folder of the data disk", () => {
    const withRole = (role: string) => ({ labels: [{ label: "dev.store.role", value: role }] });
    assert.deepEqual(
      dangersOf(
        { op: "delete", type: VOLUME, name: "gateway-config", before: withRole("files") },
        { op: "delete", type: VOLUME, name: "certificates", before: withRole("certificates") },
        { op: "replace", type: VOLUME, name: "orders-data", before: { driverOpts: { o: "bind" } } },
        { op: "update", type: DISK, name: "host-data", before: {}, after: {}, protect: true },
      ),
      [],
    );
  });

  it("has a new way in where a rule gets more addresses, a port or a rule", () => {
    const ssh = rule("22", "203.0.113.7/32");
    assert.deepEqual(firewall([ssh], [rule("22", "203.0.113.0/24")]), [
      {
        ...{ kind: "exposure", operation: "update", type: FIREWALL, name: "host" },
        ...{ detail: "port 22", before: "203.0.113.7/32", after: "203.0.113.0/24" },
      },
    ]);
    assert.equal(firewall([ssh], [rule("22", "Internet")])[0]?.after, "Internet");
    assert.equal(firewall([], [rule("22", "Internet")])[0]?.after, "Internet");
    assert.equal(firewall([ssh], [rule("22", "AzureCloud")])[0]?.after, "?");
    assert.equal(firewall([ssh], [rule("22-25", "203.0.113.7/32")])[0]?.detail, "port 22-25");
    assert.equal(firewall([ssh], [ssh, rule("5432", "10.0.0.1")])[0]?.detail, "port 5432");
  });

  it("has no new way in where a rule gets narrower or stays, or opens HTTP", () => {
    const wide = rule("22", "203.0.113.0/24", "198.51.100.0/24");
    assert.deepEqual(firewall([wide], [rule("22", "203.0.113.9/32")]), []);
    assert.deepEqual(firewall([wide], [wide]), []);
    assert.deepEqual(firewall([wide], [wide, rule("443", "Internet")]), []);
  });

  it("has a new way in where a container publishes another port to other machines", () => {
    const ports = (external: number, ip: string) => ({ ports: [{ external, internal: 1, ip }] });
    const published = (before: object, after: object): Danger[] =>
      dangersOf({
        ...{ op: "replace", type: CONTAINER, name: "gateway" },
        before: { ...before },
        after: { ...after },
      });
    assert.equal(published(ports(80, "0.0.0.0"), ports(8080, "0.0.0.0"))[0]?.after, "8080");
    assert.equal(published(ports(80, "127.0.0.1"), ports(80, "0.0.0.0"))[0]?.kind, "exposure");
    assert.deepEqual(published(ports(80, "127.0.0.1"), ports(8080, "127.0.0.1")), []);
    assert.deepEqual(published(ports(80, "0.0.0.0"), ports(80, "0.0.0.0")), []);
  });

  it("doesn't count what the base causes, too, but shows it", () => {
    const events = previewEvents(UNCHANGED, {
      op: "replace",
      type: MACHINE,
      name: "host",
      before: {},
      after: {},
    });
    const base = reviewOf({ events });
    const { verdict, markdown, exitCode } = summaryOf({ events, base });
    assert.equal(verdict, "unchanged");
    assert.equal(exitCode, 0);
    assert.match(markdown, /Virtual machine `host` is replaced.*Not from this request/);
  });

  it("shows each danger above any fold", () => {
    const { markdown, verdict, exitCode, label } = summaryOf({
      events: previewEvents(
        UNCHANGED,
        { op: "delete", type: VOLUME, name: "reviews-data", before: {} },
        { op: "replace", type: MACHINE, name: "host", before: {}, after: {} },
        {
          ...{ op: "update", type: FIREWALL, name: "host" },
          before: { securityRules: [rule("22", "10.0.0.1")] },
          after: { securityRules: [rule("22", "*")] },
        },
      ),
    });
    const [visible = ""] = markdown.split("<details>");
    for (const text of [
      /Data at risk: `reviews-data`/,
      /Virtual machine `host` is replaced/,
      /port 22 of `host`/,
    ])
      assert.match(visible, text);
    assert.deepEqual([verdict, exitCode, label], ["data at risk", 3, "staging: data at risk"]);
  });
});

describe("covers", () => {
  for (const [outer, inner, expected] of [
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "10.0.0.0/7", false],
    ["*", "::1", true],
    ["0.0.0.0/0", "::/0", false],
    ["2001:db8::/32", "2001:db8:1::/48", true],
    ["?", "?", false],
    ["0.0.0.0/0", "Internet", true],
    ["Internet", "Internet", true],
    ["Internet", "10.0.0.1", false],
  ] as const) {
    it(`says ${expected} for ${inner} in ${outer}`, () => {
      assert.equal(covers(outer, inner), expected);
    });
  }
});

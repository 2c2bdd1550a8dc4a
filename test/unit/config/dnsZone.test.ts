import assert from "node:assert/strict";
import { readConfig, StoreConfig } from "../../../config/config";
import type { ServiceSpec } from "../../../services/spec";
import { resetConfig, setConfig } from "./stackConfig";

const SUBSCRIPTION = "11111111-2222-4333-8444-555555555555";
const ID = `/subscriptions/${SUBSCRIPTION}/resourceGroups/dns/providers/Microsoft.Network/dnszones/Example.org`;

const azure = {
  host: "azure",
  owner: "store-team",
  adminCidrs: ["203.0.113.7/32"],
  registry: { address: "registry.example.com" },
  httpPort: 80,
};

describe("readConfig for a DNS zone", () => {
  afterEach(resetConfig);

  function read(keys: Record<string, unknown>, hosts: readonly string[] = []): StoreConfig {
    setConfig({ dockerHost: "unix:///test.sock", ...azure, ...keys });
    const outlet = { hosts } as unknown as ServiceSpec;
    return readConfig(new Map(hosts.length === 0 ? [] : [["outlet", outlet]]));
  }
  const zoneOf = ({ host }: StoreConfig): unknown => {
    assert.ok(host.kind === "azure");
    return host.dnsZone;
  };

  it("has no zone by default", () => {
    assert.equal(zoneOf(read({ domain: "shop.example.org" })), undefined);
  });

  it("has the names of the store and its services that are in the zone of an ID", () => {
    const config = read({ dnsZone: ID, domain: "Example.org www.example.org" }, [
      "outlet.example.org",
      "outlet.example.net",
      "notexample.org",
    ]);
    assert.deepEqual(zoneOf(config), {
      name: "example.org",
      resourceGroupName: "dns",
      subscriptionId: SUBSCRIPTION,
      names: ["example.org", "www.example.org", "outlet.example.org"],
    });
    assert.match(
      config.warnings.join("\n"),
      /^store:dnsZone: outlet\.example\.net, notexample\.org \(hosts of services\) aren't in the zone example\.org, .*$/,
    );
  });

  it("finds a zone by its name in the stack's existing resource group", () => {
    const config = read({
      ...{ dnsZone: "example.org", resourceGroup: "team-rg", domain: "shop.example.org" },
    });
    assert.deepEqual(zoneOf(config), {
      name: "example.org",
      resourceGroupName: "team-rg",
      subscriptionId: undefined,
      names: ["shop.example.org"],
    });
  });

  it("has the same zone in whatever case the key is written, because another name would replace the records", () => {
    const domain = "shop.example.org";
    const inGroup = (dnsZone: string, resourceGroup: string): unknown =>
      zoneOf(read({ dnsZone, resourceGroup, domain }));
    assert.deepEqual(inGroup("Example.org", "Team-RG"), inGroup("example.org", "team-rg"));
    const id = ID.replace(SUBSCRIPTION, "AAAAAAAA-2222-4333-8444-555555555555");
    assert.deepEqual(
      zoneOf(read({ dnsZone: id.toUpperCase(), domain })),
      zoneOf(read({ dnsZone: id.toLowerCase(), domain })),
    );
  });

  it("warns about names outside the zone, for which it creates no record", () => {
    const domain = "shop.example.org shop.example.net";
    const config = read({ dnsZone: ID, domain }, ["outlet.example.org", "shop.example.net"]);
    const [warning, ...others] = config.warnings;
    assert.deepEqual(others, []);
    assert.match(warning ?? "", /^store:dnsZone: shop\.example\.net .* isn't in the zone example/);
  });

  const inZone = { dnsZone: ID, domain: "shop.example.org" };
  const refusals: readonly [string, Record<string, unknown>, RegExp][] = [
    [
      "a text that is no zone",
      { ...inZone, dnsZone: "https://example.org" },
      /^store:dnsZone: .*should be the name of a zone.* az network dns zone list/,
    ],
    ["a name without a dot", { ...inZone, dnsZone: "org" }, /^store:dnsZone: .*should be the name/],
    [
      "the ID of another resource",
      { ...inZone, dnsZone: ID.replace("dnszones", "privateDnsZones") },
      /^store:dnsZone: .*should be the name/,
    ],
    [
      "a zone by its name without a group that it could be in",
      { ...inZone, dnsZone: "example.org" },
      /^store:dnsZone: example\.org .*store:resourceGroup.*\[\?name=='example\.org'\]\.id/,
    ],
    [
      "a zone without a name of the store",
      { dnsZone: ID },
      /^store:dnsZone: .*\.\/store pulumi config set -s \S+ domain shop\.example\.org$/,
    ],
    [
      "a zone with all names of the store outside",
      { ...inZone, domain: "shop.example.net myexample.org" },
      /^store:dnsZone: is example\.org, but no name of store:domain \(shop\.example\.net, myexample\.org\)/,
    ],
    [
      "a zone for a store that isn't on Azure",
      { dnsZone: ID, host: "local" },
      /^store:dnsZone: .*store on Azure only; store:host is local/,
    ],
  ];
  for (const [what, keys, message] of refusals) {
    it(`rejects ${what}`, () => {
      assert.throws(() => read(keys), { message });
    });
  }
});

import assert from "node:assert/strict";
import type { Resource } from "@store/azure-emulator/arm/resourceType";
import type { Properties } from "@store/azure-emulator/arm/values";
import { outputsOf } from "@store/azure-emulator/provider/outputs";
import { Provider } from "@store/azure-emulator/provider/provider";
import { IDS, TestCloud } from "./fixture";
import { refused } from "./refused";

const ZONE = "azure-native:dns:Zone";
const RECORD_SET = "azure-native:dns:RecordSet";
const ZONE_ID = `${IDS.group}/providers/Microsoft.Network/dnszones/example.org`;
const URN = "urn:pulumi:staging::store::azure-native:dns:RecordSet::host-shop";

describe("The emulated Azure DNS", () => {
  let test: TestCloud;
  beforeEach(async () => {
    test = new TestCloud();
    await test.make("group");
  });
  afterEach(() => test.dispose());

  const inZone = { resourceGroupName: "store", zoneName: "example.org" };
  const zone = (more: Properties = {}): Promise<Resource> =>
    test.cloud.create(ZONE, { ...inZone, location: "global", ...more });
  const aRecord = (name: string, more: Properties = {}): Properties => ({
    ...inZone,
    relativeRecordSetName: name,
    recordType: "A",
    ttl: 60,
    aRecords: [{ ipv4Address: "203.0.113.80" }],
    ...more,
  });
  const record = (name: string, more: Properties = {}): Promise<Resource> =>
    test.cloud.create(RECORD_SET, aRecord(name, more));
  const alias = { recordType: "CNAME", aRecords: undefined, cnameRecord: { cname: "x.example" } };

  it("creates records in an existing zone only, and deletes them with the zone", async () => {
    await refused(record("shop"), "ParentResourceNotFound", 404, /'example\.org' not found/);
    await zone();
    const { id } = await record("shop");
    assert.equal(id, `${ZONE_ID}/A/shop`);
    await test.cloud.remove(ZONE_ID);
    assert.deepEqual(test.names(), ["store"]);
  });

  it("returns the full name of a record, of the zone itself and of a wildcard", async () => {
    await zone();
    const nameOf = async (name: string): Promise<unknown> =>
      outputsOf(await record(name), test.cloud)["fqdn"];
    assert.equal(await nameOf("shop"), "shop.example.org.");
    assert.equal(await nameOf("@"), "example.org.");
    assert.equal(await nameOf("*.eu"), "*.eu.example.org.");
  });

  it("returns an existing zone, also one with a name in another case, and Azure's error for a missing one", async () => {
    const provider = new Provider(test.cloud, () => []);
    const read = (args: Properties): Properties =>
      provider.invoke("azure-native:dns:getZone", args);
    assert.throws(() => read(inZone), /"ResourceNotFound"/);
    await zone();
    assert.equal(read({ ...inZone, zoneName: "Example.org" })["name"], "example.org");
  });

  for (const [what, more, message] of [
    ["without a TTL", { ttl: undefined }, /The request was invalid/],
    ["with a TTL of 0", { ttl: 0 }, /TTL/],
    ["with a TTL over the limit", { ttl: 2_147_483_648 }, /TTL/],
    ["with an address that isn't IPv4", { aRecords: [{ ipv4Address: "::1" }] }, /'::1'/],
    [
      "with the same address twice",
      { aRecords: [{ ipv4Address: "203.0.113.1" }, { ipv4Address: "203.0.113.1" }] },
      /more than once/,
    ],
    ["of two types", { cnameRecord: { cname: "x.example" } }, /cannot contain cnameRecord/],
    ["with a CNAME at the zone's name", { ...alias, relativeRecordSetName: "@" }, /apex/],
  ] as const) {
    it(`refuses a record ${what}`, async () => {
      await zone();
      await refused(record("shop", more), "BadRequest", 400, message);
    });
  }

  it("refuses an invalid name, and a zone in a region", async () => {
    await zone();
    await refused(record("a b"), "InvalidResourceName", 400);
    const elsewhere = zone({ zoneName: "example.net", location: "australiaeast" });
    await refused(elsewhere, "LocationNotAvailableForResourceType", 400);
  });

  it("refuses other records beside a CNAME, and a CNAME beside others", async () => {
    await zone();
    await record("www", alias);
    await refused(record("www"), "Conflict", 409, /a CNAME record with the same name/);
    await record("shop");
    await refused(record("shop", alias), "Conflict", 409, /another record with the same name/);
  });

  it("refuses to create a record that exists, but changes its address and TTL", async () => {
    await zone();
    await record("shop");
    await assert.rejects(record("shop"), /cannot create already existing resource .*\/A\/shop/);
    const aRecords = [{ ipv4Address: "203.0.113.81" }];
    const changed = await test.cloud.update(RECORD_SET, aRecord("shop", { aRecords, ttl: 300 }));
    assert.deepEqual(outputsOf(changed, test.cloud)["aRecords"], aRecords);
  });

  it("replaces a record of another name, zone or type, and updates one of another address", () => {
    const provider = new Provider(test.cloud, () => []);
    const { inputs } = provider.check(RECORD_SET, URN, {}, aRecord("shop"));
    const replaces = (more: Properties): boolean =>
      provider
        .diff(RECORD_SET, inputs, { ...inputs, ...more })
        .changes.some((change) => change.replaces);
    assert.equal(replaces({ relativeRecordSetName: "www" }), true);
    assert.equal(replaces({ zoneName: "example.net" }), true);
    assert.equal(replaces({ recordType: "CNAME" }), true);
    assert.equal(replaces({ aRecords: [{ ipv4Address: "203.0.113.81" }] }), false);
  });
});

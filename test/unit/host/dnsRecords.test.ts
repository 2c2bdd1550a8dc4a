import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { AzureHost } from "../../../components/host/azure/azureHost";
import type { DnsZoneArgs } from "../../../components/host/azure/dnsRecords";
import { resources } from "../mocks";
import { createAzureHost, OWN_REGISTRY_AND_SCHEDULE } from "./createAzureHost";
import { mockedInOwnFolder } from "./mockedFolder";

const RECORD_SET = "azure-native:dns:RecordSet";
const AZURE = "pulumi:providers:azure-native";
const ELSEWHERE = "99999999-2222-4333-8444-555555555555";

describe("An AzureHost with a DNS zone", () => {
  mockedInOwnFolder();
  const options = new Map<string, pulumi.CustomResourceOptions>();
  beforeEach(() => options.clear());

  function host(zone: Partial<DnsZoneArgs> = {}, subscriptionId?: string): AzureHost {
    const dnsZone = {
      name: "example.org",
      resourceGroupName: "dns",
      names: ["shop.example.org"],
      ...zone,
    };
    return createAzureHost({ ...OWN_REGISTRY_AND_SCHEDULE, subscriptionId, dnsZone }, options);
  }

  it("has a record with the host's address for each name: the zone's own, names below it and wildcards", async () => {
    host({ names: ["example.org", "www.shop.example.org", "*.example.org"] });
    const records = await resources(RECORD_SET);
    assert.deepEqual(
      records.map(({ name, inputs }) => [name, inputs["relativeRecordSetName"]]),
      [
        ["host-example.org", "@"],
        ["host-www.shop.example.org", "www.shop"],
        ["host-*.example.org", "*"],
      ],
    );
    for (const { inputs } of records) {
      assert.deepEqual(inputs["aRecords"], [{ ipv4Address: "203.0.113.80" }]);
      assert.deepEqual(
        [inputs["resourceGroupName"], inputs["zoneName"], inputs["recordType"], inputs["ttl"]],
        ["dns", "example.org", "A", 60],
      );
    }
  });

  it("deletes the records itself, because Azure doesn't delete them with the stack's group", async () => {
    host();
    await resources(RECORD_SET);
    assert.equal(options.get(RECORD_SET)?.deletedWith, undefined);
  });

  it("deletes a record before it creates the same one with another provider, because Azure refuses a second one", async () => {
    host();
    await resources(RECORD_SET);
    assert.equal(options.get(RECORD_SET)?.deleteBeforeReplace, true);
  });

  it("keeps the records while the VM is replaced: they depend on the address alone", async () => {
    host();
    await resources(RECORD_SET);
    assert.equal(options.get(RECORD_SET)?.dependsOn, undefined);
    assert.equal(options.get(RECORD_SET)?.replacementTrigger, undefined);
  });

  it("uses the host's provider for a zone in its subscription, and one more for any other", async () => {
    host({ subscriptionId: ELSEWHERE }, ELSEWHERE.toUpperCase());
    const [inSame] = await resources(RECORD_SET);
    assert.match(inSame?.provider ?? "", /::host-azure::/);
    host({ subscriptionId: ELSEWHERE });
    const inOther = (await resources(RECORD_SET)).at(-1);
    assert.match(inOther?.provider ?? "", /::host-dns::/);
    const providers = await resources(AZURE);
    const found = providers.find(({ name }) => name === "host-dns");
    assert.equal(found?.inputs["subscriptionId"], ELSEWHERE);
  });
});

import assert from "node:assert/strict";
import { networkOf, subnetProblem } from "../../../components/host/azure/subnetId";

const NETWORK_ID =
  "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/net-rg/providers/Microsoft.Network/virtualNetworks/hub";
const SUBNET_ID = `${NETWORK_ID}/subnets/vms`;

describe("An existing subnet", () => {
  const hub = { name: "hub", location: "Australia East", subnets: [{ id: SUBNET_ID }] };

  it("is part of a network in a resource group", () => {
    assert.deepEqual(networkOf(SUBNET_ID), {
      resourceGroupName: "net-rg",
      virtualNetworkName: "hub",
    });
  });

  it("is accepted in the VM's region, in any spelling", () => {
    assert.equal(subnetProblem(hub, SUBNET_ID.toUpperCase(), "australiaeast"), undefined);
  });

  it("is refused in another region", () => {
    assert.match(
      subnetProblem(hub, SUBNET_ID, "uksouth") ?? "",
      /hub is in Australia East, but store:location is uksouth/,
    );
  });

  it("is refused if the network has no such subnet, or is another one of this name in the VM's subscription", () => {
    for (const id of [`${SUBNET_ID}2`, SUBNET_ID.replace("11111111", "99999999")])
      assert.match(
        subnetProblem(hub, id, "australiaeast") ?? "",
        /no such subnet .*hub has: \/sub/,
      );
    assert.match(
      subnetProblem({ ...hub, subnets: undefined }, SUBNET_ID, "australiaeast") ?? "",
      /hub has: none/,
    );
  });
});

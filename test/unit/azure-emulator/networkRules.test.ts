import { Properties, Value } from "@store/azure-emulator/arm/values";
import { IDS, rule, STAGING, TestCloud } from "./fixture";
import { refused } from "./refused";

describe("The emulated Azure network", () => {
  let test: TestCloud;
  beforeEach(() => (test = new TestCloud()));
  afterEach(() => test.dispose());

  const ssh = rule("ssh", 200, [], "22");
  const many = (...prefixes: string[]): Properties => ({
    ...ssh,
    sourceAddressPrefixes: prefixes,
  });
  const single = (prefix: Value): Properties => ({
    ...ssh,
    sourceAddressPrefixes: [],
    sourceAddressPrefix: prefix,
  });

  for (const [what, request, code] of [
    [
      "overlapping sources",
      many("203.0.113.0/24", "203.0.113.7/32"),
      "OverlappingSubnetsNotPermittedInSecurityRule",
    ],
    [
      "the same source twice",
      many("203.0.113.7", "203.0.113.7/32"),
      "OverlappingSubnetsNotPermittedInSecurityRule",
    ],
    [
      "a service tag in a list of sources",
      many("Internet"),
      "SecurityRuleParameterContainsUnsupportedValue",
    ],
    [
      "an asterisk in a list of sources",
      many("*"),
      "SecurityRuleParameterContainsUnsupportedValue",
    ],
    ["a source with host bits", many("203.0.113.7/24"), "SecurityRuleInvalidAddressPrefix"],
    ["an unknown service tag", single("Everybody"), "SecurityRuleInvalidAddressPrefix"],
    [
      "an IPv6 range of more than 128 bits",
      single("2001:db8::/129"),
      "SecurityRuleInvalidAddressPrefix",
    ],
  ] as const) {
    it(`rejects ${what}`, async () => {
      await test.before("securityGroup");
      await refused(test.make("securityGroup", "securityRules", [request]), code, 400);
    });
  }

  for (const source of [
    "Internet",
    "*",
    "AzureCloud",
    "AzureCloud.australiaeast",
    "Storage",
    "2001:db8::/32",
    "203.0.113.7",
  ]) {
    it(`accepts the source ${source}`, async () => {
      await test.before("securityGroup");
      await test.make("securityGroup", "securityRules", [single(source)]);
    });
  }

  it("accepts several separate sources", async () => {
    await test.before("securityGroup");
    await test.make("securityGroup", "securityRules", [
      many("203.0.113.0/24", "198.51.100.7/32", "2001:db8::1/128"),
    ]);
  });

  it("refuses to change the range of a subnet with an interface in it", async () => {
    await test.all();
    await refused(
      test.update("subnet", "addressPrefix", "10.20.0.0/16"),
      "InUsePrefixCannotBeDeleted",
      400,
    );
    await test.update("subnet", "defaultOutboundAccess", true);
  });

  it("changes the range of a subnet without an interface", async () => {
    await test.before("nic");
    await test.update("subnet", "addressPrefix", "10.20.0.0/16");
  });

  for (const range of ["127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/8", "168.63.129.0/24"]) {
    it(`rejects the range ${range} of a virtual network`, async () => {
      await test.before("network");
      await refused(
        test.make("network", "addressSpace.addressPrefixes", [range]),
        "AddressPrefixNotAllowed",
        400,
      );
    });
  }

  it("accepts a virtual network with the subnets that it has, as a request after a refresh lists them", async () => {
    await test.all();
    const subnets = [{ id: IDS.subnet, name: "subnet", addressPrefix: "10.20.1.0/24" }];
    await test.update("network", "subnets", subnets);
    const [token, network] = STAGING.network;
    await assertInlineSubnetRefused(
      test.cloud.update(token, { ...network, subnets: [{ name: "x" }] }),
    );
  });

  it("rejects to move an interface into another virtual network", async () => {
    await test.before("machine");
    const [network, properties] = STAGING.network;
    await test.cloud.create(network, { ...properties, virtualNetworkName: "net2" });
    const [subnet, inNetwork] = STAGING.subnet;
    const { id } = await test.cloud.create(subnet, { ...inNetwork, virtualNetworkName: "net2" });
    await refused(
      test.update("nic", "ipConfigurations.0.subnet.id", id),
      "SubnetsNotInSameVnet",
      400,
    );
  });
});

async function assertInlineSubnetRefused(request: Promise<unknown>): Promise<void> {
  await request.then(
    () => {
      throw new Error("An inline subnet was accepted.");
    },
    (error: unknown) => {
      if (!/inline subnets/.test(String(error))) throw error;
    },
  );
}

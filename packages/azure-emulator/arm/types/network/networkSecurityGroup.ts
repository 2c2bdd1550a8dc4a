import { badRequest } from "../../armError";
import { parseRange } from "../../cidr";
import { ANY_NAME, computedOnce, ResourceType, sameId } from "../../resourceType";
import { isObject, listAt, Properties, textAt } from "../../values";
import { common, GROUP, INTERFACE, SUBNET, word } from "./common";

export const networkSecurityGroup: ResourceType = {
  token: GROUP,
  armType: "Microsoft.Network/networkSecurityGroups",
  path: ["resourceGroupName", "networkSecurityGroupName"],
  located: true,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 3, update: 3, remove: 5 },
  validate: ({ properties }) => {
    const rules = listAt(properties, "securityRules").filter(isObject);
    rules.forEach(validateRule);
    rules.forEach((rule, i) => {
      const other = rules
        .slice(i + 1)
        .find(
          (one) =>
            one["priority"] === rule["priority"] &&
            word(one, "direction") === word(rule, "direction"),
        );
      if (other === undefined) return;
      throw badRequest(
        "SecurityRuleConflict",
        `Security rule ${textAt(other, "name")} conflicts with rule ${textAt(rule, "name")}. Rules cannot have the same ` +
          `Priority and Direction.`,
      );
    });
  },
  validateRemoval: (group, cloud) => {
    const user = [...cloud.all(SUBNET), ...cloud.all(INTERFACE)].find(({ properties }) =>
      sameId(textAt(properties, "networkSecurityGroup.id"), group.id),
    );
    if (user === undefined) return;
    throw badRequest(
      "InUseNetworkSecurityGroupCannotBeDeleted",
      `Network security group ${group.id} cannot be deleted because it is in use by ${user.id}.`,
    );
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/networkSecurityGroups"),
    resourceGuid: computedOnce(put, "resourceGuid", () => crypto.randomUUID()),
  }),
};

const TAGS = ["*", "internet", "virtualnetwork", "azureloadbalancer"];

function validateRule(rule: Properties): void {
  const name = textAt(rule, "name");
  if (!ANY_NAME.test(name))
    throw badRequest("InvalidResourceName", `Security rule name "${name}" is invalid.`);
  const { priority } = rule;
  if (
    typeof priority !== "number" ||
    !Number.isInteger(priority) ||
    priority < 100 ||
    priority > 4096
  ) {
    throw badRequest(
      "SecurityRuleInvalidPriority",
      `Security rule ${name} has invalid priority ${JSON.stringify(priority)}. It must be between 100 and 4096.`,
    );
  }
  for (const [one, several, check, code] of [
    ["sourcePortRange", "sourcePortRanges", isPortRange, "SecurityRuleInvalidPortRange"],
    ["destinationPortRange", "destinationPortRanges", isPortRange, "SecurityRuleInvalidPortRange"],
    [
      "sourceAddressPrefix",
      "sourceAddressPrefixes",
      isAddressPrefix,
      "SecurityRuleInvalidAddressPrefix",
    ],
    [
      "destinationAddressPrefix",
      "destinationAddressPrefixes",
      isAddressPrefix,
      "SecurityRuleInvalidAddressPrefix",
    ],
  ] as const) {
    const values = [...listAt(rule, several), ...(rule[one] === undefined ? [] : [rule[one]])];
    if (values.length === 0) {
      throw badRequest(
        "SecurityRuleParameterNotSpecified",
        `Security rule ${name}: ${one} or ${several} is required.`,
      );
    }
    const wrong = values.find((value) => typeof value !== "string" || !check(value));
    if (wrong !== undefined) {
      throw badRequest(
        code,
        `Security rule ${name} has invalid ${one}. Value provided: ${JSON.stringify(wrong)}.`,
      );
    }
  }
}

function isPortRange(text: string): boolean {
  if (text === "*") return true;
  const ends = text.split("-").map((end) => (/^\d{1,5}$/.test(end) ? Number(end) : NaN));
  const [from = NaN, to = from] = ends;
  return ends.length <= 2 && from >= 0 && to <= 65535 && from <= to;
}

function isAddressPrefix(text: string): boolean {
  return TAGS.includes(text.toLowerCase()) || parseRange(text) !== undefined;
}

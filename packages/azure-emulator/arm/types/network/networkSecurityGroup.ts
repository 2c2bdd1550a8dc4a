import { badRequest } from "../../armError";
import { ANY_NAME, computedOnce, ResourceType, sameId } from "../../resourceType";
import { isObject, listAt, Properties, textAt } from "../../values";
import { common, GROUP, INTERFACE, SUBNET, word } from "./common";
import { validateRule } from "./securityRule";

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
  defaults: ({ properties, id }) => ({
    securityRules: listAt(properties, "securityRules").map((rule) => ({
      id: `${id}/securityRules/${textAt(rule, "name")}`,
      provisioningState: "Succeeded",
      sourceAddressPrefixes: [],
      sourcePortRanges: [],
      destinationAddressPrefixes: [],
      destinationPortRanges: [],
    })),
  }),
  related: (group, cloud) => {
    const users = (token: string): Properties[] =>
      cloud
        .all(token)
        .filter(({ properties }) => sameId(textAt(properties, "networkSecurityGroup.id"), group.id))
        .map(({ id }) => ({ id }));
    return { subnets: users(SUBNET), networkInterfaces: users(INTERFACE) };
  },
  subResources: ["securityRules"],
};

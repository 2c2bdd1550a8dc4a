import { isIPv6 } from "node:net";
import { badRequest } from "../../armError";
import { overlap, parseRange } from "../../cidr";
import { ANY_NAME } from "../../resourceType";
import { listAt, Properties, textAt, Value } from "../../values";

/** Service tags of Azure, which may end with a region. A rule accepts one as a single prefix, not in a list. */
const SERVICE_TAG =
  /^(Internet|VirtualNetwork|Azure[A-Za-z]+|ActionGroup|ApiManagement|AppService|DataFactory|EventHub|GatewayManager|PowerBI|ServiceBus|Sql|Storage)(\.[A-Za-z0-9]+)?$/i;

const PORTS = {
  isValid: isPortRange,
  invalidCode: "SecurityRuleInvalidPortRange",
};
const ADDRESSES = {
  isValid: isAddressPrefix,
  invalidCode: "SecurityRuleInvalidAddressPrefix",
};

/** Validates one rule of a network security group. @throws ArmError */
export function validateRule(rule: Properties): void {
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
  for (const [one, several, kind] of [
    ["sourcePortRange", "sourcePortRanges", PORTS],
    ["destinationPortRange", "destinationPortRanges", PORTS],
    ["sourceAddressPrefix", "sourceAddressPrefixes", ADDRESSES],
    ["destinationAddressPrefix", "destinationAddressPrefixes", ADDRESSES],
  ] as const) {
    const list = listAt(rule, several);
    validateValues(rule, one, several, kind);
    if (kind === ADDRESSES) validateList(name, several, list);
  }
}

function validateValues(
  rule: Properties,
  one: string,
  several: string,
  { isValid, invalidCode }: typeof PORTS,
): void {
  const name = textAt(rule, "name");
  const values = [...listAt(rule, several), ...(rule[one] === undefined ? [] : [rule[one]])];
  if (values.length === 0) {
    throw badRequest(
      "SecurityRuleParameterNotSpecified",
      `Security rule ${name}: ${one} or ${several} is required.`,
    );
  }
  const wrong = values.find((value) => typeof value !== "string" || !isValid(value));
  if (wrong === undefined) return;
  throw badRequest(
    invalidCode,
    `Security rule ${name} has invalid ${one}. Value provided: ${JSON.stringify(wrong)}.`,
  );
}

/** Validates a list of prefixes, which unlike a single one may contain neither service tags nor overlapping ranges. */
function validateList(name: string, parameter: string, list: readonly Value[]): void {
  const prefixes = list.filter((value) => typeof value === "string");
  const tag = prefixes.find((prefix) => prefix === "*" || SERVICE_TAG.test(prefix));
  if (tag !== undefined) {
    throw badRequest(
      "SecurityRuleParameterContainsUnsupportedValue",
      `Security rule parameter ${parameter} of rule ${name} contains the unsupported value ${tag}. A service tag or an ` +
        `asterisk must be the only prefix.`,
    );
  }
  const ranges = prefixes.flatMap((prefix) => {
    const range = parseRange(prefix);
    return range === undefined ? [] : [{ prefix, range }];
  });
  ranges.forEach(({ prefix, range }, i) => {
    const other = ranges.slice(i + 1).find((one) => overlap(range, one.range));
    if (other === undefined) return;
    throw badRequest(
      "OverlappingSubnetsNotPermittedInSecurityRule",
      `Security rule ${name} has overlapping subnets in ${parameter}: ${prefix} and ${other.prefix}.`,
    );
  });
}

function isPortRange(text: string): boolean {
  if (text === "*") return true;
  const ends = text.split("-").map((end) => (/^\d{1,5}$/.test(end) ? Number(end) : NaN));
  const [from = NaN, to = from] = ends;
  return ends.length <= 2 && from >= 0 && to <= 65535 && from <= to;
}

function isAddressPrefix(text: string): boolean {
  return (
    text === "*" || SERVICE_TAG.test(text) || parseRange(text) !== undefined || isIPv6Range(text)
  );
}

function isIPv6Range(text: string): boolean {
  const [address = "", bits = "128", ...rest] = text.split("/");
  return isIPv6(address) && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= 128;
}

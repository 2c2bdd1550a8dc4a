import { itemsOf, monthlyCost, Money } from "../cost/monthlyCost";
import { definePolicy, TEXTS } from "../policy";
import {
  configSet,
  CONTAINER,
  labelOf,
  PlannedResource,
  stackOf,
  textAt,
  UNKNOWN,
  valueAt,
  VM,
} from "../resource";

export const vmSizeAllowed = definePolicy<{ readonly allowed: readonly string[] }>({
  name: "vm-size-allowed",
  description: "Every VM has a size of the allow-list.",
  settings: { allowed: TEXTS },
  check: (resource, { allowed }) => {
    const { type, inputs } = resource;
    const size = textAt(inputs, "hardwareProfile.vmSize");
    const isAllowed =
      size === undefined || allowed.some((name) => name.toLowerCase() === size.toLowerCase());
    return type !== VM || isAllowed
      ? []
      : [
          `has the size ${size}, which isn't allowed. Choose one of ${allowed.join(", ")}: ${configSet(resource, "vmSize NAME")}; or allow ` +
            `it in policy/config.json, with its price in policy/cost/prices.json.`,
        ];
  },
});

/** Priced resources of each stack, by URN. The engine shows a policy one resource after the other. */
const seen = new Map<string, Map<string, PlannedResource>>();

export const monthlyCostLimit = definePolicy<{ readonly limitUsd: number }>({
  name: "monthly-cost",
  description: "The list prices of a stack's Azure resources stay below a limit.",
  settings: { limitUsd: { type: "number", minimum: 0 } },
  check: (resource, { limitUsd }) => {
    const own = itemsOf(resource);
    if (own.length === 0) return [];
    const unpriced = own.filter(({ cost }) => cost === undefined).map(({ what }) => what);
    if (unpriced.length > 0) return [withoutPrice(unpriced, limitUsd)];
    const stack = stackOf(resource.urn);
    const resources = (seen.get(stack) ?? new Map<string, PlannedResource>()).set(
      resource.urn,
      resource,
    );
    seen.set(stack, resources);
    const { total, items } = monthlyCost([...resources.values()]);
    return total.amount <= limitUsd
      ? []
      : [
          `brings the stack to ${money(total)} per month, over the limit of ${limitUsd} USD: ` +
            `${items.map(({ name, what, cost }) => `${name} (${what}) ${cost ? money(cost) : ""}`).join(", ")}. Choose smaller or fewer VMs or ` +
            `a smaller disk (store:vmSize, store:hosts, store:dataDiskGiB), or raise the limit in policy/config.json.`,
        ];
  },
});

function withoutPrice(what: readonly string[], limitUsd: number): string {
  return (
    `has no list price (${what.join(", ")}), so the limit of ${limitUsd} USD per month can't be checked. Add the price to ` +
    `policy/cost/prices.json.`
  );
}

function money({ amount, currency }: Money): string {
  return `${amount.toFixed(2)} ${currency}`;
}

interface RequiredTags {
  /** Names of the tags of each Azure resource. */
  readonly tags: readonly string[];
  /** Names of the labels of each container, network and volume. */
  readonly labels: readonly string[];
  /** Types of Azure resources that can't have tags. */
  readonly untaggable: readonly string[];
}

export const requiredTags = definePolicy<RequiredTags>({
  name: "required-tags",
  description:
    "Every Azure resource has the required tags; every container, network and volume has the required labels.",
  settings: { tags: TEXTS, labels: TEXTS, untaggable: TEXTS },
  check: (resource, { tags, labels, untaggable }) => {
    const { type, inputs } = resource;
    if (LABELLED.includes(type) && inputs["labels"] !== UNKNOWN) {
      const missing = labels.filter((label) => labelOf(resource, label) === undefined);
      return missingOnes("label", missing, "components/container/labels.ts makes them");
    }
    const isAzure = type.startsWith("azure-native:") && !untaggable.includes(type);
    if (!isAzure || inputs["tags"] === UNKNOWN) return [];
    const missing = tags.filter((tag) =>
      [undefined, ""].includes(valueAt(inputs["tags"], tag) as string | undefined),
    );
    return missingOnes(
      "tag",
      missing,
      "store:owner sets the owner, AzureScope.common in components/host/azure has all",
    );
  },
});

const LABELLED = [CONTAINER, "docker:index/network:Network", "docker:index/volume:Volume"];

function missingOnes(kind: string, names: readonly string[], source: string): string[] {
  return names.length === 0
    ? []
    : [
        `lacks the ${kind}${names.length > 1 ? "s" : ""} ${names.join(", ")}, so nobody can tell whose it is. Add what is missing: ${source}.`,
      ];
}

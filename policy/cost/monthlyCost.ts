import prices from "./prices.json";
import { DISK, Inputs, numberAt, textAt, VM } from "../resource";

/** A planned or a stored resource. */
export interface PricedResource {
  readonly type: string;
  readonly urn: string;
  readonly inputs?: Inputs;
}

export interface Money {
  readonly amount: number;
  /** For example "USD". */
  readonly currency: string;
}

/** Part of a bill. */
export interface CostItem {
  readonly urn: string;
  /** Name of the resource in the program. */
  readonly name: string;
  /** For example "Standard_DS2_v2" or "disk of 32 GiB". */
  readonly what: string;
  /** Undefined if prices.json has no price for it. */
  readonly cost: Money | undefined;
  /** The item is the VM's hardware, which isn't charged while the VM is deallocated. */
  readonly isHardware: boolean;
}

export interface MonthlyCost {
  /** Sum of the items with a price. */
  readonly total: Money;
  /** Items that cost money, the most expensive first. */
  readonly items: readonly CostItem[];
  /** Items without a price in prices.json, which the total lacks. */
  readonly unpriced: readonly CostItem[];
  /** Date of the list prices, as YYYY-MM-DD. */
  readonly pricesOf: string;
  /** Region of the list prices. */
  readonly location: string;
}

const HOURS_PER_MONTH = 730;
const DAYS_PER_MONTH = HOURS_PER_MONTH / 24;

/**
 * Returns what the Azure resources cost per month at list prices, if they run all the time. Other resources cost nothing. Prices are
 * those of prices.json, whatever the region.
 */
export function monthlyCost(resources: readonly PricedResource[]): MonthlyCost {
  return sumOf(resources.flatMap(itemsOf));
}

/** Returns the cost of these items. */
export function sumOf(all: readonly CostItem[]): MonthlyCost {
  const items = all
    .filter(({ cost }) => cost !== undefined)
    .sort((a, b) => amountOf(b) - amountOf(a));
  const amount = items.reduce((sum, item) => sum + amountOf(item), 0);
  return {
    total: { amount, currency: prices.currency },
    items,
    unpriced: all.filter(({ cost }) => cost === undefined),
    pricesOf: prices.date,
    location: prices.location,
  };
}

function amountOf({ cost }: CostItem): number {
  return cost?.amount ?? 0;
}

/** Returns the items of a resource; none for a resource that costs nothing, or whose size isn't known yet. */
export function itemsOf({ type, urn, inputs = {} }: PricedResource): CostItem[] {
  const item = (
    what: string | undefined,
    perMonth: number | undefined,
    isHardware = false,
  ): CostItem[] => {
    if (what === undefined) return [];
    const cost =
      perMonth === undefined ? undefined : { amount: perMonth, currency: prices.currency };
    return [{ urn, name: urn.split("::").at(-1) ?? urn, what, cost, isHardware }];
  };
  switch (type) {
    case VM: {
      const size = textAt(inputs, "hardwareProfile.vmSize");
      const kind = textAt(inputs, "storageProfile.osDisk.managedDisk.storageAccountType");
      const gib = numberAt(inputs, "storageProfile.osDisk.diskSizeGB") ?? OS_DISK_GIB;
      return [
        ...item(size, times(priceOf(prices.vm.prices, size), HOURS_PER_MONTH), true),
        ...item(kind && `${kind} of ${gib} GiB, system`, diskPrice(kind, gib)),
      ];
    }
    case DISK: {
      const kind = textAt(inputs, "sku.name");
      const gib = numberAt(inputs, "diskSizeGB");
      return item(kind && gib ? `${kind} of ${gib} GiB` : undefined, diskPrice(kind, gib));
    }
    case "azure-native:network:PublicIPAddress": {
      const sku = textAt(inputs, "sku.name");
      return item(
        sku && "public address",
        times(priceOf(prices.publicAddress.prices, sku), HOURS_PER_MONTH),
      );
    }
    case "azure-native:containerregistry:Registry": {
      const sku = textAt(inputs, "sku.name");
      return item(
        sku && `registry ${sku}`,
        times(priceOf(prices.registry.prices, sku), DAYS_PER_MONTH),
      );
    }
    default:
      return [];
  }
}

/** Size of the system disk if the VM's image decides: Debian's has 30 GiB, which is charged as 32. */
const OS_DISK_GIB = 32;

/** Azure accepts names of sizes and SKUs in any case. */
function priceOf(
  table: Readonly<Record<string, number>>,
  name: string | undefined,
): number | undefined {
  return Object.entries(table).find(([key]) => key.toLowerCase() === name?.toLowerCase())?.[1];
}

function times(price: number | undefined, count: number): number | undefined {
  return price === undefined ? undefined : price * count;
}

/** A disk is charged as the next larger size of the table. */
function diskPrice(kind: string | undefined, gib: number | undefined): number | undefined {
  const table: Readonly<Record<string, Readonly<Record<string, number>>>> = prices.disk.prices;
  const sizes = Object.entries(table[kind ?? ""] ?? {}).map(
    ([size, price]) => [Number(size), price] as const,
  );
  return sizes.sort(([a], [b]) => a - b).find(([size]) => size >= (gib ?? Infinity))?.[1];
}

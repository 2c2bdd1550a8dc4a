import table from "./vmSizeTable.json";

/** Capabilities of a VM size, by the names of Azure's API for sizes (`az vm list-skus`). */
export interface VmSize {
  readonly name: string;
  /** Quota to which its cores count, for example standardDSv2Family. */
  readonly family: string;
  readonly cores: number;
  /** The VM has a disk that Azure deletes when the VM is deallocated. */
  readonly temporaryDisk: boolean;
  /** Hypervisor generations: V1, V2 or both. */
  readonly generations: readonly string[];
  readonly diskController: string;
  readonly acceleratedNetworking: boolean;
  readonly architecture: string;
}

const SIZES: readonly VmSize[] = Object.entries(table.families).flatMap(
  ([family, { sizes, ...capabilities }]) =>
    Object.entries<{ readonly cores: number }>(sizes).map(([name, { cores }]) => ({
      name,
      family,
      cores,
      ...capabilities,
    })),
);

/** Returns the capabilities of a size; undefined for a size that vmSizeTable.json doesn't list. Like ARM, ignores case. */
export function sizeNamed(name: string): VmSize | undefined {
  return SIZES.find((size) => size.name.toLowerCase() === name.toLowerCase());
}

/** Names of all listed sizes. */
export const SIZE_NAMES: readonly string[] = SIZES.map(({ name }) => name);

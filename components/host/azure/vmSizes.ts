// The program can't ask Azure for the capabilities of a size in a preview, so they are derived from its name.

/**
 * Checks for a size with accelerated networking, which costs nothing extra. Azure refuses it for other sizes, so this names only the
 * families in which every size with at least two cores has it.
 *
 * @see https://learn.microsoft.com/azure/virtual-network/accelerated-networking-overview
 */
export function hasAcceleratedNetworking(vmSize: string): boolean {
  return /^Standard_(DS?([2-5]|1[1-5])_v2|[DEF]\d+[a-z]*_v([3-9]|\d\d)|F\d+s_v2|B\d+[a-z]+_v2)$/i.test(
    vmSize,
  );
}

/**
 * Checks for a size whose disks are NVMe devices: version 6 and later of each family.
 *
 * @see https://learn.microsoft.com/azure/virtual-machines/nvme-overview
 */
export function hasNvmeDisks(vmSize: string): boolean {
  return /_v([6-9]|\d\d)$/i.test(vmSize);
}

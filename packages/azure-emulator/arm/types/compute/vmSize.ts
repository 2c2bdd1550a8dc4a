import { badRequest, conflict } from "../../armError";
import { Put, Resource, sameId } from "../../resourceType";
import { Properties, textAt } from "../../values";
import { MACHINE } from "./references";
import { SIZE_NAMES, sizeNamed, VmSize } from "./vmSizes";

/** Returns the size of a VM. @throws ArmError for an unknown size */
export function sizeOf(properties: Properties): VmSize {
  const name = textAt(properties, "hardwareProfile.vmSize");
  const size = sizeNamed(name);
  if (size !== undefined) return size;
  throw badRequest(
    "InvalidParameter",
    `The value ${name} provided for the VM size is not valid. The valid sizes in the current region are: ` +
      `${SIZE_NAMES.join(",")}.`,
  );
}

/** Validates the size against the region's capacity, the quotas, and the VM's present size. */
export function validateSize(put: Put): void {
  const size = sizeOf(put.properties);
  if (put.before === undefined) validateCapacity(put, size);
  else validateResize(put.before, size);
  validateQuotas(put, size);
}

function validateCapacity({ cloud, properties }: Put, { name }: VmSize): void {
  if (!cloud.limits.soldOut) return;
  throw conflict(
    "SkuNotAvailable",
    `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${name}' is currently ` +
      `not available in location '${textAt(properties, "location")}'. Please try another size or deploy to a different ` +
      `location or different zone. See https://aka.ms/azureskunotavailable for details.`,
  );
}

/** @see https://learn.microsoft.com/azure/virtual-machines/sizes/resize-vm */
function validateResize(before: Resource, size: VmSize): void {
  const old = sizeOf(before.properties);
  if (old.temporaryDisk !== size.temporaryDisk) {
    throw conflict(
      "OperationNotAllowed",
      `Unable to resize the VM '${before.name}' since changing from resource disk to non-resource disk VM size and ` +
        `vice-versa is not allowed. Please refer to https://aka.ms/AAah4sj for more details.`,
    );
  }
  if (old.diskController === size.diskController) return;
  throw conflict(
    "OperationNotAllowed",
    `Unable to resize the VM '${before.name}' from ${old.name} to ${size.name}: the disk controller type ` +
      `${old.diskController} can't be changed to ${size.diskController}.`,
  );
}

function validateQuotas(put: Put, size: VmSize): void {
  const { limits } = put.cloud;
  const others = put.cloud
    .all(MACHINE)
    .filter(({ id }) => !sameId(id, put.id))
    .map(({ properties }) => sizeOf(properties));
  const family = others.filter((other) => other.family === size.family);
  validateQuota(put, `${size.family} Cores`, limits.cores, family, size);
  validateQuota(put, "Total Regional Cores", limits.regionalCores, others, size);
}

function validateQuota(
  { properties }: Put,
  quota: string,
  limit: number,
  others: readonly VmSize[],
  { cores }: VmSize,
): void {
  const used = others.reduce((sum, other) => sum + other.cores, 0);
  if (used + cores <= limit) return;
  throw conflict(
    "OperationNotAllowed",
    `Operation could not be completed as it results in exceeding approved ${quota} quota. Additional details - ` +
      `Deployment Model: Resource Manager, Location: ${textAt(properties, "location")}, Current Limit: ${limit}, Current ` +
      `Usage: ${used}, Additional Required: ${cores}, (Minimum) New Limit Required: ${used + cores}.`,
  );
}

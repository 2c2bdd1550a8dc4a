import { badRequest, conflict } from "../../armError";
import { Put, sameId } from "../../resourceType";
import { textAt } from "../../values";
import { MACHINE } from "./references";

/** Number of cores of the supported sizes. */
const CORES: Readonly<Record<string, number>> = {
  Standard_B1ms: 1,
  Standard_B2s: 2,
  Standard_B2ms: 2,
  Standard_B4ms: 4,
  Standard_D2s_v3: 2,
  Standard_D4s_v3: 4,
  Standard_D2s_v5: 2,
  Standard_D4s_v5: 4,
  Standard_D8s_v5: 8,
  Standard_DS1_v2: 1,
  Standard_DS2_v2: 2,
  Standard_DS3_v2: 4,
  Standard_DS4_v2: 8,
};

function coresOf(size: string): number {
  return (
    Object.entries(CORES).find(([name]) => name.toLowerCase() === size.toLowerCase())?.[1] ?? 0
  );
}

export function validateSize(put: Put): void {
  const size = textAt(put.properties, "hardwareProfile.vmSize");
  const location = textAt(put.properties, "location");
  const cores = coresOf(size);
  if (cores === 0) {
    throw badRequest(
      "InvalidParameter",
      `The value ${size} provided for the VM size is not valid. The valid sizes in the current region are: ` +
        `${Object.keys(CORES).join(",")}.`,
    );
  }
  const { limits } = put.cloud;
  if (put.before === undefined && limits.soldOut) {
    throw conflict(
      "SkuNotAvailable",
      `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size}' is currently ` +
        `not available in location '${location}'. Please try another size or deploy to a different location or different ` +
        `zone. See https://aka.ms/azureskunotavailable for details.`,
    );
  }
  const used = put.cloud
    .all(MACHINE)
    .filter(({ id }) => !sameId(id, put.id))
    .reduce(
      (sum, { properties }) => sum + coresOf(textAt(properties, "hardwareProfile.vmSize")),
      0,
    );
  if (used + cores <= limits.cores) return;
  throw conflict(
    "OperationNotAllowed",
    `Operation could not be completed as it results in exceeding approved ${familyOf(size)} Cores quota. Additional ` +
      `details - Deployment Model: Resource Manager, Location: ${location}, Current Limit: ${limits.cores}, Current ` +
      `Usage: ${used}, Additional Required: ${cores}, (Minimum) New Limit Required: ${used + cores}.`,
  );
}

/** Returns the quota's name, for example standardDSv2Family for Standard_DS2_v2. */
function familyOf(size: string): string {
  return `${size.replace("Standard_", "standard").replace(/\d+/, "").replace("_v", "v")}Family`;
}

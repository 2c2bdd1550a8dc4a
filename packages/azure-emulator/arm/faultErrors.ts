import { ArmError, badRequest, conflict } from "./armError";
import type { Fault } from "./faults";
import { isWithin, type ResourceType, type View } from "./resourceType";
import { scopeLocked } from "./types/authorization";
import { DISK } from "./types/compute/references";

export type Operation = "create" | "update" | "remove";

/** A request that a fault may refuse. */
interface Request {
  readonly type: ResourceType;
  readonly operation: Operation;
  readonly id: string;
  readonly cloud: View;
}

interface FaultError {
  readonly error: ArmError;
  readonly fault: string;
  /** The fault ends with this request. */
  readonly once: boolean;
}

/** Returns the error that an active fault causes for this request, if any. */
export function faultOf(faults: readonly string[], request: Request): FaultError | undefined {
  const named = `${shortName(request)}:${request.operation}`;
  if (faults.includes(named)) {
    const reason = `An internal execution error occurred. (injected fault ${named})`;
    return { error: new ArmError(500, "InternalExecutionError", reason), fault: named, once: true };
  }
  for (const [fault, refuse] of Object.entries(REFUSALS)) {
    const error = faults.includes(fault) ? refuse(request) : undefined;
    if (error !== undefined) return { error, fault, once: fault === "delete-refused" };
  }
  return undefined;
}

function shortName({ type }: Request): string {
  return type.token.split(":").at(-1) ?? "";
}

const REFUSALS: Partial<Record<Fault, (request: Request) => ArmError | undefined>> = {
  "delete-refused": (request) =>
    request.operation === "remove" && HOLDS_MACHINE.includes(shortName(request))
      ? conflict(
          "OperationNotAllowed",
          "Another operation is in progress on the virtual machine. Try again later.",
        )
      : undefined,
  overlap: (request) =>
    request.operation !== "remove" && shortName(request) === "VirtualNetwork"
      ? badRequest(
          "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
          "The address space of the virtual network overlaps with the address space of a virtual network that it is peered with: 10.0.0.0/8.",
        )
      : undefined,
  policy: (request) =>
    request.operation !== "remove" && DISALLOWED.includes(shortName(request))
      ? disallowed(request)
      : undefined,
  throttled: ({ operation, id, cloud: { subscription } }) =>
    operation === "remove"
      ? undefined
      : new ArmError(
          429,
          "SubscriptionRequestsThrottled",
          `Number of write requests for subscription '${subscription}' exceeded the limit of 200 for time interval ` +
            `'00:01:00' (resource '${id}'). Please try again after '17' seconds.`,
        ),
  lock: (request) => {
    const locked = request.operation === "remove" ? lockedDisk(request) : undefined;
    return locked === undefined ? undefined : scopeLocked("delete", request.id, locked);
  },
  "locks-forbidden": (request) =>
    request.operation !== "remove" && shortName(request) === "ManagementLockByScope"
      ? new ArmError(
          403,
          "AuthorizationFailed",
          `The client 'contributor' with object id '00000000-0000-4000-8000-0000000b7ec7' does not have authorization to ` +
            `perform action 'Microsoft.Authorization/locks/write' over scope '${request.id}' or the scope is invalid. If ` +
            `access was recently granted, please refresh your credentials.`,
        )
      : undefined,
};

/** Types that the policy forbids: also the VM, which no attempt has created, whatever an attempt before has. */
const DISALLOWED: readonly string[] = ["PublicIPAddress", "VirtualMachine"];

/** Types whose removal removes a VM. */
const HOLDS_MACHINE: readonly string[] = ["VirtualMachine", "ResourceGroup"];

function disallowed({ id, cloud: { subscription } }: Request): ArmError {
  const assignment = {
    name: "Not allowed resource types",
    id: `/subscriptions/${subscription}/providers/Microsoft.Authorization/policyAssignments/not-allowed-types`,
  };
  return new ArmError(
    403,
    "RequestDisallowedByPolicy",
    `Resource '${id.split("/").at(-1)}' was disallowed by policy. Policy identifiers: '[${JSON.stringify({ policyAssignment: assignment })}]'.`,
  );
}

/** Returns the ID of the data disk that the request deletes, by itself or with its group. */
function lockedDisk({ id, cloud }: Request): string | undefined {
  return cloud
    .all(DISK)
    .filter(({ computed }) => computed["uniqueId"] !== undefined)
    .map((disk) => disk.id)
    .find((disk) => isWithin(disk, id));
}

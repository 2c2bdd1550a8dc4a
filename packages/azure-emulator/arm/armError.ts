import type { Resource } from "./resourceType";

/** An error response of ARM. The message has the format in which the published provider reports it. */
export class ArmError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly reason: string,
  ) {
    super(`Status=${status} Code="${code}" Message="${reason}"`);
    this.name = "ArmError";
  }
}

/** The failure of an operation that ARM had accepted, so that the resource exists. */
export class FailedOperation extends ArmError {
  constructor(
    code: string,
    reason: string,
    readonly resource: Resource,
  ) {
    super(200, code, reason);
    this.name = "FailedOperation";
  }
}

export function badRequest(code: string, reason: string): ArmError {
  return new ArmError(400, code, reason);
}

export function conflict(code: string, reason: string): ArmError {
  return new ArmError(409, code, reason);
}

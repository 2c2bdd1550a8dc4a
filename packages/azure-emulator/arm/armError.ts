/** A refusal of ARM, in the words in which the published provider passes it on. */
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

export function badRequest(code: string, reason: string): ArmError {
  return new ArmError(400, code, reason);
}

export function conflict(code: string, reason: string): ArmError {
  return new ArmError(409, code, reason);
}

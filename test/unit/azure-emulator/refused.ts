import assert from "node:assert/strict";
import { ArmError } from "@store/azure-emulator/arm/armError";

/** Asserts that a request is rejected with this error code, and with this HTTP status and this message if they are given. */
export async function refused(
  action: Promise<unknown>,
  code: string,
  status?: number,
  message = /./,
): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof ArmError, String(error));
    assert.equal(error.code, code);
    if (status !== undefined) assert.equal(error.status, status);
    assert.match(error.message, message);
    return true;
  });
}

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** Waits until a condition holds. Fails the test with the problem after five minutes, which end only a test that hangs. */
export async function eventually(
  condition: () => Promise<boolean>,
  problem: string,
): Promise<void> {
  const end = Date.now() + 300_000;
  while (Date.now() < end) {
    if (await condition().catch(() => false)) return;
    await pause(200);
  }
  assert.fail(problem);
}

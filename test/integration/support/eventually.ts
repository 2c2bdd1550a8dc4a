import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** Waits until a condition holds. Fails the test with the problem after two minutes, which a busy machine may need. */
export async function eventually(
  condition: () => Promise<boolean>,
  problem: string,
): Promise<void> {
  const end = Date.now() + 120_000;
  while (Date.now() < end) {
    if (await condition().catch(() => false)) return;
    await pause(200);
  }
  assert.fail(problem);
}

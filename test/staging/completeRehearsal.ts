import assert from "node:assert/strict";
import { resolve } from "node:path";
import { findDocker } from "@store/toolchain/tools/docker";
import { Rehearsal, type RehearseOptions } from "./rehearsal";
import type { Step } from "./report";

/** Prints a step below the title of a test. */
export function printStep({ seconds, name, detail }: Step): void {
  process.stdout.write(`      ${seconds.toFixed(1).padStart(6)} s  ${name}: ${detail}\n`);
}

/**
 * Brings the staging stack up in the emulator, checks it, and takes it down, by HTTPS and with a registry that the configuration names.
 *
 * @returns names of the steps
 * @throws AssertionError that lists the failed steps
 */
export async function completeRehearsal(
  options: Pick<RehearseOptions, "faults" | "host" | "hosts" | "vmImage">,
): Promise<string[]> {
  const found = await findDocker();
  assert.ok(found.found);
  const steps: Step[] = [];
  const silent = { step: () => undefined, progress: () => undefined, note: () => undefined };
  const rehearsal = new Rehearsal({
    ...{ root: resolve(__dirname, "../.."), dockerHost: found.host, latencyFactor: 0 },
    ...{ registry: "named", https: true, report: silent, ...options },
    onStep: (step) => {
      steps.push(step);
      printStep(step);
    },
  });
  try {
    await rehearsal.run();
    await rehearsal.down();
  } finally {
    await rehearsal.end();
  }
  assert.deepEqual(
    steps.filter(({ failed }) => failed),
    [],
  );
  return steps.map(({ name }) => name);
}

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { findDocker } from "@store/toolchain/tools/docker";
import { Rehearsal } from "../staging/rehearsal";
import type { Step } from "../staging/report";

const ROOT = resolve(__dirname, "../..");
const silent = { step: () => undefined, progress: () => undefined, note: () => undefined };

/** Runs only if it is named: `./store test swarm`. */
describe("A stack on three machines", function () {
  // Only ends a run that hangs: a busy machine takes twice as long as a quiet one.
  this.timeout(40 * 60_000);

  it("comes up, rolls out a change, survives the loss of a machine, changes its machines without a lost request, and leaves nothing", () =>
    rehearse("ssh"));

  it("does so in Azure, comes from one VM and goes back to it, and gets another host and worker", () =>
    rehearse("azure"));

  async function rehearse(host: "ssh" | "azure"): Promise<void> {
    const found = await findDocker();
    assert.ok(found.found);
    const steps: Step[] = [];
    const rehearsal = new Rehearsal({
      ...{ root: ROOT, dockerHost: found.host, latencyFactor: 0, faults: [] },
      ...{ host, hosts: 3, registry: "named", https: true, report: silent },
      onStep: (step) => {
        steps.push(step);
        const seconds = step.seconds.toFixed(1).padStart(6);
        process.stdout.write(`      ${seconds} s  ${step.name}: ${step.detail}\n`);
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
    assert.ok(steps.some(({ name }) => name === "fewer and more machines under load"));
  }
});

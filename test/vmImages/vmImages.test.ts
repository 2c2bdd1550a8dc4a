import assert from "node:assert/strict";
import { resolve } from "node:path";
import { findDocker } from "@store/toolchain/tools/docker";
import { BOOTABLE_IMAGES } from "../staging/context";
import { Rehearsal } from "../staging/rehearsal";
import type { Step } from "../staging/report";

const ROOT = resolve(__dirname, "../..");
const silent = { step: () => undefined, progress: () => undefined, note: () => undefined };

/** Runs only if it is named: `./store test vm-images`. The tier rehearsal tests the default image. */
const [, ...OTHER_IMAGES] = BOOTABLE_IMAGES;
for (const vmImage of OTHER_IMAGES) {
  describe(`The staging stack on ${vmImage}`, function () {
    // Only ends a run that hangs: it builds the image first, and a busy machine takes twice as long as a quiet one.
    this.timeout(40 * 60_000);

    it("comes up, rolls out a change, survives reboots and the replacement of the VM, and leaves nothing", async () => {
      const found = await findDocker();
      assert.ok(found.found);
      const steps: Step[] = [];
      const rehearsal = new Rehearsal({
        ...{ root: ROOT, dockerHost: found.host, latencyFactor: 0, faults: ["deallocated"] },
        ...{ host: "azure", vmImage, registry: "named", https: true, report: silent },
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
      assert.ok(steps.some(({ name }) => name === "replace the VM"));
    });
  });
}

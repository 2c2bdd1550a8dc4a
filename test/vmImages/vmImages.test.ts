import assert from "node:assert/strict";
import { completeRehearsal } from "../staging/completeRehearsal";
import { BOOTABLE_IMAGES } from "../staging/context";

/** Runs only if it is named: `./store test vm-images`. The tier rehearsal tests the default image. */
const [, ...OTHER_IMAGES] = BOOTABLE_IMAGES;
for (const vmImage of OTHER_IMAGES) {
  describe(`The staging stack on ${vmImage}`, function () {
    // Only ends a run that hangs: it builds the image first, and a busy machine takes twice as long as a quiet one.
    this.timeout(40 * 60_000);

    it("comes up, rolls out a change, survives reboots and the replacement of the VM, and leaves nothing", async () => {
      const steps = await completeRehearsal({ host: "azure", vmImage, faults: ["deallocated"] });
      assert.ok(steps.includes("replace the VM"));
    });
  });
}

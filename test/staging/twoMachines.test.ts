import assert from "node:assert/strict";
import { completeRehearsal } from "./completeRehearsal";

/** Three machines, also in Azure: `./store test swarm`. */
describe("A stack on two machines with SSH", function () {
  // Only ends a run that hangs: a busy machine takes twice as long as a quiet one.
  this.timeout(30 * 60_000);

  it("comes up, rolls out a change without a lost request, survives restarts of Docker, goes back to one machine, and leaves nothing", async () => {
    const steps = await completeRehearsal({ host: "ssh", hosts: 2, faults: [] });
    assert.ok(steps.includes("up on one machine again"));
  });
});

import assert from "node:assert/strict";
import { completeRehearsal } from "../staging/completeRehearsal";

/** Runs only if it is named: `./store test swarm`. */
describe("A stack on three machines", function () {
  // Only ends a run that hangs: a busy machine takes twice as long as a quiet one.
  this.timeout(40 * 60_000);

  it("comes up, rolls out a change, survives the loss of a machine, changes its machines without a lost request, and leaves nothing", () =>
    rehearse("ssh"));

  it("does so in Azure, comes from one VM and goes back to it, and gets another host and worker", () =>
    rehearse("azure"));

  async function rehearse(host: "ssh" | "azure"): Promise<void> {
    const steps = await completeRehearsal({ host, hosts: 3, faults: [] });
    assert.ok(steps.includes("fewer and more machines under load"));
  }
});

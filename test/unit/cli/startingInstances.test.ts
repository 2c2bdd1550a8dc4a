import assert from "node:assert/strict";
import type { TaskSummary } from "@store/cli/docker/swarmTasks";
import { StartingInstances } from "@store/cli/lifecycle/serviceWatch";

/** An instance of a service in its slot; `start` counts the starts. */
function task(service: string, slot: number, start: number, state: string): TaskSummary {
  return {
    ID: `${service}-${slot}-${start}`,
    CreatedAt: `2026-11-29T10:00:0${start}Z`,
    ServiceID: service,
    Slot: slot,
    Spec: {},
    Status: { Timestamp: "", State: state, ContainerStatus: { ExitCode: 3 } },
  };
}

/** All starts of a slot so far: each has exited. */
function exits(service: string, slot: number, count: number): TaskSummary[] {
  return Array.from({ length: count }, (_, start) => task(service, slot, start, "failed"));
}

describe("StartingInstances", () => {
  it("gives up a service whose instances have exited three times, with the last exit", () => {
    const starting = new StartingInstances();
    assert.deepEqual(starting.handle([task("orders", 1, 0, "preparing")]), []);
    assert.deepEqual(starting.handle(exits("orders", 1, 2)), []);
    const [given, ...others] = starting.handle(exits("orders", 1, 3));
    assert.deepEqual(others, []);
    assert.equal(given?.serviceId, "orders");
    assert.equal(given.container.id, "orders-1-2");
    assert.deepEqual([given.exitCode, given.exits], [3, 3]);
  });

  it("counts an exit once, however often it is asked", () => {
    const starting = new StartingInstances();
    for (let i = 0; i < 5; i++) assert.deepEqual(starting.handle(exits("orders", 1, 1)), []);
  });

  it("waits while another instance is starting, and starts to count again when it has become healthy", () => {
    const starting = new StartingInstances();
    const other = (state: string): TaskSummary => task("billing", 1, 0, state);
    assert.deepEqual(starting.handle([...exits("orders", 1, 3), other("starting")]), []);
    assert.deepEqual(starting.handle([...exits("orders", 1, 4), other("running")]), []);
    assert.equal(starting.handle([...exits("orders", 1, 7), other("running")]).length, 1);
  });

  it("doesn't count instances that Swarm couldn't start, or that it has stopped", () => {
    const starting = new StartingInstances();
    const states = ["rejected", "shutdown", "orphaned", "rejected"];
    const tasks = states.map((state, start) => task("orders", 1, start, state));
    assert.deepEqual(starting.handle(tasks), []);
  });

  it("doesn't count exits of an instance that has been healthy", () => {
    const starting = new StartingInstances();
    starting.handle([task("orders", 1, 0, "running")]);
    const later = [1, 2, 3].map((start) => task("orders", 1, start, "failed"));
    assert.deepEqual(starting.handle([task("orders", 1, 0, "running"), ...later]), []);
  });
});

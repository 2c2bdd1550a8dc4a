import assert from "node:assert/strict";
import { LABEL } from "../../../../components/container/labelNames";
import { taskContainer } from "@store/cli/docker/swarmTasks";
import type { Resource } from "@store/cli/state/checkpoint";
import { withoutLeaving } from "@store/cli/lifecycle/lostMachines";
import { needsPortCheck } from "@store/cli/lifecycle/machinePorts";
import { diagnose, engineEvents, failedStep } from "./failedRun";

const COMMAND = "store:index:SshHost$store:index:Swarm$command:remote:Command";
const config = { "store:host": "ssh", "store:sshAddress": "192.0.2.1" };
const failed = (name: string, output: string): ReturnType<typeof failedStep> =>
  failedStep(
    COMMAND,
    name,
    `Process exited with status 1: running "sh -c 'fail \\"This machine is in another swarm\\"'":\n${output}`,
  );

describe("A failed step of a swarm", () => {
  it("is explained by its script, whatever the script quotes", async () => {
    const message =
      "This machine can't join the swarm of 192.0.2.1:2377: Error response from daemon: rpc error: dial tcp 192.0.2.1:2377: i/o timeout. Between the machines, TCP 2377 must be open.";
    const error = await diagnose(failed("swarm-join-192.0.2.2", message), { config });
    assert.equal(error.summary, `192.0.2.2: ${message}`);
    assert.match(error.hint ?? "", /^Then: .*up$/);
    const members = "Two workers in store:workers are the same machine, a, under different names.";
    const twice = await diagnose(failed("swarm-members", `x\n${members}`), { config });
    assert.equal(twice.summary, members);
  });

  it("names the service whose instances don't become healthy, and how to see why", async () => {
    const message = "Service with ID (vk09) did not converge after 2m0s";
    const error = await diagnose(failedStep("docker:index/service:Service", "billing", message), {
      config,
    });
    assert.equal(error.summary, "billing did not become healthy on the workers within 2m0s.");
    assert.match(error.hint ?? "", /logs -f billing.*; the state of each: .*ps/);
  });

  it("has the end of the log of an instance that exits at each start, and why it exits", async () => {
    const container = taskContainer(
      {
        ...{ ID: "t1", ServiceID: "vk09", Slot: 1, CreatedAt: "2026-11-29T10:00:00Z" },
        Spec: { ContainerSpec: { Labels: { [LABEL.service]: "billing" } } },
        Status: { Timestamp: "2026-11-29T10:00:01Z", State: "failed" },
      },
      new Map(),
    );
    const State = { Status: "exited", Running: false, ExitCode: 3 };
    const inspection = { Id: "t1", Name: "billing.1", RestartCount: 2, State };
    const crash = { container, exitCode: 3, log: ["No config."], logFile: ".store/b.log" };
    const error = await diagnose(
      failedStep(
        "docker:index/service:Service",
        "billing",
        "Error response from daemon: service vk09 not found",
      ),
      { config, crashed: new Map([["vk09", { ...crash, inspection }]]) },
    );
    assert.equal(
      error.summary,
      "billing did not become healthy: it exited with code 3, also after each of 2 restarts.",
    );
    assert.deepEqual(error.details, ["No config."]);
    assert.match(error.hint ?? "", /Fix services\/billing\..*\.store\/b\.log/s);
  });

  it("says so if the service was removed by somebody", async () => {
    const message = "Error response from daemon: service vk09 not found";
    const events = failedStep("docker:index/service:Service", "billing", message);
    const { summary, hint = "" } = await diagnose(events, { config });
    assert.match(summary, /Swarm service of billing was removed/);
    assert.match(hint, /^Retry: /);
  });

  it("is a host that doesn't answer if ssh has no connection", async () => {
    const error = await diagnose(
      failedStep(
        COMMAND,
        "swarm-join-192.0.2.2",
        "after 10 failed attempts: dial tcp :22: i/o timeout",
      ),
      { config },
    );
    assert.equal(error.summary, "Host unreachable: no answer over SSH from the worker 192.0.2.2.");
    assert.match(error.hint ?? "", /take it out of store:workers, then: .*up --yes/);
    const dial = "after 10 failed attempts: dial tcp :22: i/o timeout";
    const ready = await diagnose(failedStep(COMMAND, "worker-w1.example.org-ready", dial), {
      config,
    });
    assert.match(ready.summary, /worker w1\.example\.org\./);
    const first = await diagnose(failedStep(COMMAND, "host-ready", dial), { config });
    assert.match(first.hint ?? "", /store:sshAddress/);
  });

  it("leads to a check of the ports if machines have joined or instances don't start", () => {
    const event = (op: string, name: string): ReturnType<typeof engineEvents> =>
      engineEvents({
        resOutputsEvent: {
          metadata: { op, type: COMMAND, urn: `urn:pulumi:dev::store::x::${name}` },
        },
      });
    assert.equal(needsPortCheck(event("update", "swarm-members")), true);
    assert.equal(needsPortCheck(event("same", "swarm-members")), false);
    assert.equal(needsPortCheck(event("create", "swarm-init")), false);
    assert.equal(needsPortCheck(failedStep("docker:index/service:Service", "orders", "x")), true);
  });
});

describe("A lost machine", () => {
  it("is removed from the state without the command by which it would leave", () => {
    const join = (urn: string): Resource => ({
      ...{ urn, type: "command:remote:Command" },
      inputs: { create: "join", delete: "leave" },
      outputs: { stdout: "node", delete: "leave" },
    });
    const [lost, other] = [join("lost"), join("other")].map(withoutLeaving(["lost"]));
    assert.deepEqual([lost?.inputs, lost?.outputs], [{ create: "join" }, { stdout: "node" }]);
    assert.deepEqual(other, join("other"));
  });
});

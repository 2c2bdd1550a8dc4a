import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import {
  activate,
  describeMachineFault,
  machineFaults,
  machineHint,
  swarmNodes,
} from "@store/cli/docker/swarmNodes";
import { machineOf, swarmTasks } from "@store/cli/docker/swarmTasks";
import { readDockerState } from "@store/cli/docker/drift";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import { CliError } from "@store/docker/cliError";
import { Docker } from "@store/docker/docker";

const service = "docker:index/service:Service";
const urn = (name: string): string => `urn:pulumi:test::store::x::${name}`;

const checkpoint: Checkpoint = {
  pending: [],
  resources: [
    { urn: urn("orders"), type: service, id: "orders-service" },
    {
      urn: urn("swarm-join-192.0.2.3"),
      type: "command:remote:Command",
      outputs: { stdout: "node-b\n" },
    },
    {
      urn: urn("swarm-join-192.0.2.2"),
      type: "command:remote:Command",
      outputs: { stdout: "node-a\n" },
    },
  ],
};

const labels = { "dev.store.stack": "test", "dev.store.service": "orders" };
const task = (slot: number, change: object): object => ({
  ...{ ID: `task-${slot}`, Slot: slot, NodeID: "node-a", ServiceID: "orders-service" },
  CreatedAt: "2026-11-29T10:00:00Z",
  Spec: {
    ContainerSpec: { Image: `r.io/orders:1@sha256:${"0".repeat(64)}`, Labels: labels },
    Resources: { Limits: { MemoryBytes: 268_435_456 } },
  },
  Status: { Timestamp: "2026-11-29T10:00:05Z", State: "running" },
  ...change,
});

interface NodeChange {
  readonly availability?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly state?: string;
}
const node = (letter: string, change: NodeChange): object => {
  const { availability = "active", labels: own = { "dev.store.worker": "true" } } = change;
  return {
    ...{ ID: `node-${letter}`, Version: { Index: 7 } },
    Description: { Hostname: `machine-${letter}`, Engine: { EngineVersion: "28.5.2" } },
    Spec: { Role: "worker", Availability: availability, Labels: own },
    Status: { State: change.state ?? "ready", Addr: `192.0.2.${letter === "a" ? 2 : 3}` },
  };
};

/** Answers of the daemon by path; a text is an error. */
const answers: Record<string, unknown> = {};
const requests: string[] = [];
const bodies: string[] = [];
const NO_MANAGER = "This node is not a swarm manager. Use docker swarm init to create one.";

describe("The instances on a swarm", () => {
  let server: Server;
  let docker: Docker;

  before(async () => {
    server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? "", "http://docker");
      requests.push(decodeURIComponent(pathname + search));
      const answer = answers[pathname] ?? [];
      response.setHeader("content-type", "application/json");
      if (typeof answer === "string") response.statusCode = 503;
      void text(request).then((body) => {
        bodies.push(body);
        response.end(JSON.stringify(typeof answer === "string" ? { message: answer } : answer));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    docker = new Docker({ host: `tcp://127.0.0.1:${port}` });
  });
  beforeEach(() => {
    requests.length = 0;
    bodies.length = 0;
    answers["/nodes"] = [node("a", {}), node("b", {})];
  });
  after(() => {
    docker.close();
    server.close();
  });

  it("are those of the stack's services, with their machines", async () => {
    answers["/tasks"] = [
      task(2, {
        NodeID: "node-b",
        Status: {
          ...{ Timestamp: "2026-11-29T10:00:05Z", State: "rejected", Err: "No such image" },
        },
      }),
      task(1, {
        Status: {
          ...{ Timestamp: "2026-11-29T10:00:05Z", State: "running" },
          ContainerStatus: { ContainerID: "0123" },
        },
      }),
    ];
    const nodes = await swarmNodes(docker, checkpoint);
    const [first, second] = await swarmTasks(docker, checkpoint, nodes);
    assert.equal(requests.filter((path) => path === "/nodes").length, 1);
    assert.ok(requests.some((path) => /^\/tasks\?.*"service":\["orders-service"\]/.test(path)));
    assert.deepEqual(
      [first?.name, first?.replica, first?.health, first?.image, first?.task?.containerId],
      ["orders.1", 0, "healthy", "r.io/orders:1", "0123"],
    );
    assert.deepEqual(
      [second?.replica, second?.state, second?.status, second?.task?.node],
      [1, "rejected", "No such image", "machine-b"],
    );
  });

  it("are none on a stack with one machine, which isn't asked", async () => {
    const alone = { ...checkpoint, resources: [] };
    assert.deepEqual(await swarmTasks(docker, alone), []);
    assert.deepEqual(machineFaults(alone, await swarmNodes(docker, alone)), []);
    assert.deepEqual(requests, []);
  });

  it("run on the machine that has joined with that node", () => {
    const place = { containerId: "", since: new Date(), memoryBytes: 0 };
    const workers = ["192.0.2.2", "192.0.2.3"];
    const of = (nodeId: string): number =>
      machineOf({ ...place, nodeId, node: "machine" }, checkpoint, workers);
    assert.deepEqual([of("node-a"), of("node-b")], [1, 2]);
    assert.throws(() => of("node-z"), CliError);
  });

  it("are none, without an error, if the first machine manages no swarm any more", async () => {
    for (const path of ["/nodes", "/tasks", "/services"]) answers[path] = NO_MANAGER;
    try {
      assert.deepEqual(await swarmTasks(docker, checkpoint), []);
      const nodes = await swarmNodes(docker, checkpoint);
      assert.deepEqual(machineFaults(checkpoint, nodes), [{ kind: "lost-swarm" }]);
      const { services } = await readDockerState(docker, checkpoint);
      assert.deepEqual(services, []);
    } finally {
      for (const path of ["/tasks", "/services"]) answers[path] = [];
    }
    answers["/nodes"] = "The swarm does not have a leader.";
    await assert.rejects(swarmNodes(docker, checkpoint), /does not have a leader/);
  });

  /** Returns the messages about the machines of the swarm. */
  async function messages(...nodes: readonly object[]): Promise<string[]> {
    answers["/nodes"] = nodes;
    return machineFaults(checkpoint, await swarmNodes(docker, checkpoint)).map(
      (fault) => `${describeMachineFault(fault)} ${machineHint(fault, "test", checkpoint)}`,
    );
  }

  it("run on machines that are ready, active and labelled, and others are named with the way out", async () => {
    const a = node("a", {});
    assert.deepEqual(await messages(a, node("b", {})), []);
    const cases: readonly (readonly [NodeChange, RegExp])[] = [
      [{ state: "down" }, /machine-b \(192\.0\.2\.3\) is down.*store:workers.*up test --yes$/],
      [{ availability: "drain" }, /machine-b .*"drain".*up test --yes$/],
      [{ labels: {} }, /machine-b .*label dev\.store\.worker.*up test --yes$/],
    ];
    for (const [change, message] of cases) {
      const [found = "", ...others] = await messages(a, node("b", change));
      assert.match(found, message);
      assert.deepEqual(others, []);
    }
    assert.match((await messages(a)).join(), /192\.0\.2\.3 has left the swarm.*up test --yes$/);
  });

  it("may run again on a machine that is activated, which keeps its other labels", async () => {
    answers["/nodes"] = [node("b", { availability: "drain", labels: { rack: "2" } })];
    const [drained] = (await swarmNodes(docker, checkpoint)) ?? [];
    assert.ok(drained);
    assert.equal(await activate(docker, drained), undefined);
    assert.equal(requests.at(-1), "/nodes/node-b/update?version=7");
    assert.deepEqual(JSON.parse(bodies.at(-1) ?? ""), {
      ...{ Role: "worker", Availability: "active" },
      Labels: { rack: "2", "dev.store.worker": "true" },
    });
  });
});

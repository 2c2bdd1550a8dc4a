import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { machineOf, swarmProblems, swarmTasks } from "@store/cli/docker/swarmTasks";
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

/** Answers of the daemon by path. */
const answers: Record<string, unknown> = {};
const requests: string[] = [];

describe("The instances on a swarm", () => {
  let server: Server;
  let docker: Docker;

  before(async () => {
    server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? "", "http://docker");
      requests.push(decodeURIComponent(pathname + search));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answers[pathname] ?? []));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    docker = new Docker({ host: `tcp://127.0.0.1:${port}` });
  });
  beforeEach(() => {
    requests.length = 0;
    answers["/nodes"] = [
      {
        ...{ ID: "node-a", Description: { Hostname: "machine-a" } },
        ...{ Spec: { Availability: "active" }, Status: { State: "ready", Addr: "192.0.2.2" } },
      },
      {
        ...{ ID: "node-b", Description: { Hostname: "machine-b" } },
        ...{ Spec: { Availability: "drain" }, Status: { State: "ready", Addr: "192.0.2.3" } },
      },
      {
        ...{ ID: "node-c", Description: { Hostname: "machine-c" } },
        ...{ Spec: { Availability: "active" }, Status: { State: "down", Addr: "192.0.2.4" } },
      },
    ];
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
    const [first, second] = await swarmTasks(docker, checkpoint);
    assert.match(requests[0] ?? "", /^\/tasks\?.*"service":\["orders-service"\]/);
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
    assert.deepEqual(await swarmProblems(docker, alone, "test"), []);
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

  it("run on no machine that is down or drained, and ps says what to do", async () => {
    const [drained, down, ...others] = await swarmProblems(docker, checkpoint, "test");
    assert.match(
      drained ?? "",
      /machine-b .*"drain".*ssh test -- docker node update --availability active node-b$/,
    );
    assert.match(down ?? "", /machine-c \(192\.0\.2\.4\) is down.*store:workers.*up test$/);
    assert.deepEqual(others, []);
  });
});

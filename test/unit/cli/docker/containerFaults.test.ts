import assert from "node:assert/strict";
import {
  describeFault,
  ExpectedContainer,
  expectedContainers,
  faultsOf,
} from "@store/cli/docker/containerFaults";
import { Inspection } from "@store/cli/docker/containers";
import { repairFaults } from "@store/cli/lifecycle/repairFaults";
import { missingRows } from "@store/cli/commands/inspect/ps";
import { Resource } from "@store/cli/state/checkpoint";
import type { Docker } from "@store/docker/docker";
import { CONTAINER_TYPE, NETWORK_TYPE } from "@store/cli/state/resourceTypes";

const BACKEND = { name: "backend-0a1b2c3", aliases: ["orders"] };
const DATABASE = { name: "orders-database-0a1b2c3", aliases: [] };
const ORDERS: ExpectedContainer = {
  urn: "urn:orders-0",
  id: "1",
  service: "orders",
  role: "service",
  replica: 0,
  networks: [BACKEND, DATABASE],
  ports: [],
  memoryMiB: 256,
  restart: "unless-stopped",
};
const GATEWAY: ExpectedContainer = {
  ...{ ...ORDERS, urn: "urn:gateway", id: "2", service: "gateway", role: "gateway" },
  ...{ replica: undefined, networks: [], ports: [8080] },
};

describe("expectedContainers", () => {
  const labels = (role: string) =>
    Object.entries({ service: "orders", role, replica: "0" }).map(([name, value]) => ({
      label: `dev.store.${name}`,
      value,
    }));
  const resource = (role: string): Resource => ({
    urn: ORDERS.urn,
    id: ORDERS.id,
    type: CONTAINER_TYPE,
    inputs: {
      labels: labels(role),
      networksAdvanced: [BACKEND, { __defaults: [], name: DATABASE.name }],
      ...{ memory: 256, restart: "unless-stopped" },
    },
  });
  const read = (...resources: Resource[]) => expectedContainers({ resources, pending: [] });

  it("reads services, networks and limits from the state", () => {
    assert.deepEqual(read(resource("service")), [ORDERS]);
  });

  it("knows the networks that the gateway joins while it runs, and its name there", () => {
    const network = (name: string, value: string, isOld = false): Resource => ({
      ...{ urn: `urn:${name}`, id: name, type: NETWORK_TYPE, delete: isOld },
      inputs: { name, labels: [{ label: "dev.store.gateway", value }] },
    });
    const unlabelled = { ...network("x", ""), inputs: { name: "orders-database-1", labels: [] } };
    const reload: Resource = {
      ...{ urn: "urn:x$command:local:Command::gateway-reload", id: "reload", type: "command" },
      inputs: { create: "'1' 'storefront-network-1=gateway' 'orders-network-1='" },
    };
    const networks = [
      network("storefront-network-1", "gateway"),
      network("orders-network-1", "-"),
      network("orders-network-0", "-", true),
      // Of an `up` that failed before the gateway joined it.
      network("broken-network-1", "-"),
      unlabelled,
      reload,
    ];
    const [gateway, orders] = read(resource("gateway"), resource("service"), ...networks);
    assert.deepEqual(gateway?.networks.slice(2), [
      { name: "storefront-network-1", aliases: ["gateway"] },
      { name: "orders-network-1", aliases: [] },
    ]);
    assert.deepEqual(gateway.unusedNetworks, ["broken-network-1"]);
    assert.equal(orders?.networks.length, 2);
    // An encrypted script doesn't say which networks the gateway has joined: it keeps all of them.
    const encrypted = { ...reload, inputs: { create: { ciphertext: "v1:abc" } } };
    const [unreadable] = read(resource("gateway"), ...networks.slice(0, -1), encrypted);
    assert.deepEqual(unreadable?.unusedNetworks, []);
  });

  it("leaves out replaced originals and containers that only hold files", () => {
    assert.deepEqual(read({ ...resource("service"), delete: true }, resource("files")), []);
  });
});

describe("faultsOf", () => {
  const kinds = (actual: Inspection, expected = ORDERS): string[] =>
    faultsOf(expected, actual).map(({ kind }) => kind);

  it("finds nothing in a container that is as the state says, or stopped", () => {
    assert.deepEqual(kinds(inspection()), []);
    assert.deepEqual(kinds(inspection({ Running: false, Status: "exited" }, {})), []);
  });

  it("finds a paused, a crashing and an unhealthy container", () => {
    assert.deepEqual(kinds(inspection({ Status: "paused", Paused: true })), ["paused"]);
    assert.deepEqual(kinds(inspection({ Status: "restarting", Restarting: true })), ["restarting"]);
    assert.deepEqual(kinds(inspection({ Health: { Status: "unhealthy" } })), ["unhealthy"]);
    const unhealthyWhilePaused = { Paused: true, Health: { Status: "unhealthy" } };
    assert.deepEqual(kinds(inspection(unhealthyWhilePaused)), ["paused"]);
  });

  it("finds a container that exits some time after each start, also while it runs", () => {
    const after = (RestartCount: number, Status: string): string[] =>
      kinds({ ...inspection({ Health: { Status } }), RestartCount });
    assert.deepEqual(after(3, "starting"), ["restarting"]);
    assert.deepEqual(after(2, "starting"), []);
    assert.deepEqual(after(9, "healthy"), []);
  });

  it("finds a network or a DNS name that a container lacks", () => {
    const [disconnected] = faultsOf(ORDERS, inspection({}, { [DATABASE.name]: {} }));
    assert.ok(disconnected);
    assert.equal(describeFault(disconnected), "is disconnected from network backend");
    const networks = { [BACKEND.name]: { Aliases: ["0123456789ab"] }, [DATABASE.name]: {} };
    const [nameless] = faultsOf(ORDERS, inspection({}, networks));
    assert.ok(nameless);
    assert.equal(describeFault(nameless), "lacks its DNS name orders on network backend");
  });

  it("finds a network that the gateway holds although nothing uses it", () => {
    const expected = { ...ORDERS, unusedNetworks: ["broken-network-0a1b2c3"] };
    assert.deepEqual(kinds(inspection(), expected), []);
    const networks = {
      ...inspection().NetworkSettings?.Networks,
      "broken-network-0a1b2c3": {},
    };
    const [fault] = faultsOf(expected, inspection({}, networks));
    assert.ok(fault);
    assert.equal(describeFault(fault), "is still connected to network broken-network");
  });

  it("finds a port that isn't published, and changed limits", () => {
    assert.deepEqual(kinds(inspection(), GATEWAY), ["unpublished"]);
    assert.deepEqual(
      kinds(inspection({}, {}, { "8080/tcp": [{ HostPort: "8080" }] }), GATEWAY),
      [],
    );
    const limited = { ...inspection(), HostConfig: { Memory: 64 * 1024 ** 2 } };
    assert.deepEqual(kinds(limited), ["changed"]);
    const once = { ...inspection(), HostConfig: { RestartPolicy: { Name: "no" } } };
    assert.deepEqual(kinds(once), ["changed"]);
  });
});

describe("repairFaults", () => {
  const notes: string[] = [];
  const report = { note: (text: string) => notes.push(text), step: () => undefined };
  const repair = async (
    docker: Pick<Docker, "post">,
    ...faulty: Parameters<typeof repairFaults>[1]
  ): ReturnType<typeof repairFaults> =>
    repairFaults(docker as Docker, faulty, report as unknown as Parameters<typeof repairFaults>[2]);
  const paused = { expected: GATEWAY, name: "gateway", faults: [{ kind: "paused" }] } as const;
  const unhealthy = {
    expected: ORDERS,
    name: "orders-0",
    faults: [{ kind: "unhealthy" }],
  } as const;
  const database = { ...unhealthy, expected: { ...ORDERS, role: "database" } } as const;

  it("connects a container again with its DNS names", async () => {
    const sent: [string, object?][] = [];
    const post = (path: string, body?: object) => {
      sent.push([path, body]);
      return Promise.resolve(undefined);
    };
    const fault = { kind: "disconnected", network: BACKEND, isConnected: true } as const;
    const left = await repair({ post }, { expected: ORDERS, name: "orders-0", faults: [fault] });
    assert.deepEqual(left, { repaired: 1, differences: [], replace: [] });
    assert.deepEqual(sent, [
      ["/networks/backend-0a1b2c3/disconnect", { Container: "1" }],
      [
        "/networks/backend-0a1b2c3/connect",
        { Container: "1", EndpointConfig: { Aliases: ["orders"] } },
      ],
    ]);
  });

  it("replaces a container that Docker can't repair", async () => {
    const left = await repair({ post: () => Promise.resolve("no such container") }, paused);
    assert.deepEqual(left, {
      ...{ repaired: 0, differences: ["gateway is paused"], replace: ["urn:gateway"] },
    });
  });

  it("replaces an unhealthy service, but no database, which may be recovering", async () => {
    const post = () => Promise.resolve(undefined);
    assert.deepEqual((await repair({ post }, unhealthy)).replace, ["urn:orders-0"]);
    const left = await repair({ post }, database);
    assert.deepEqual(left, { repaired: 0, differences: ["orders-0 is unhealthy"], replace: [] });
  });

  it("doesn't replace a service that may be unhealthy because of what was repaired", async () => {
    const left = await repair({ post: () => Promise.resolve(undefined) }, unhealthy, paused);
    assert.deepEqual(left, { repaired: 1, differences: [], replace: [] });
  });

  it("replaces a service that exits again and again, but no database", async () => {
    const post = () => Promise.resolve(undefined);
    const looping = { ...unhealthy, faults: [{ kind: "restarting" }] } as const;
    assert.deepEqual(await repair({ post }, looping), {
      repaired: 0,
      differences: ["orders-0 exits and is restarted again and again"],
      replace: ["urn:orders-0"],
    });
    assert.deepEqual(
      (await repair({ post }, { ...looping, expected: database.expected })).replace,
      [],
    );
  });
});

describe("missingRows", () => {
  const running = (container: ExpectedContainer) =>
    ({ ...container, state: "running", health: "healthy" }) as const;

  it("leaves out a replacement that failed while the original serves", () => {
    const original = { ...running(ORDERS), id: "original" };
    assert.deepEqual(missingRows([ORDERS], [original]), []);
    for (const other of [
      { ...original, replica: 1 },
      { ...original, role: "database" } as const,
      { ...original, state: "exited", health: undefined },
      { ...original, health: "unhealthy" } as const,
    ]) {
      assert.equal(missingRows([ORDERS], [other]).length, 1);
    }
  });

  it("names each container of the state that Docker doesn't have", () => {
    const rows = missingRows([GATEWAY, ORDERS], [running(GATEWAY)]);
    assert.deepEqual(
      rows.map(({ service, replica, state }) => ({ service, replica, state })),
      [{ service: "orders", replica: 0, state: "missing" }],
    );
  });
});

function inspection(
  state: Partial<Inspection["State"]> = {},
  networks: Readonly<Record<string, { Aliases?: string[] }>> = {
    [BACKEND.name]: { Aliases: ["orders", "0123456789ab"] },
    [DATABASE.name]: { Aliases: ["0123456789ab"] },
  },
  ports: Readonly<Record<string, { HostPort: string }[]>> = {},
): Inspection {
  return {
    Id: "1",
    Name: "/orders-0-0a1b2c3",
    State: { Status: "running", Running: true, ExitCode: 0, ...state },
    HostConfig: { Memory: 256 * 1024 ** 2, RestartPolicy: { Name: "unless-stopped" } },
    NetworkSettings: { Networks: networks, Ports: ports },
  };
}

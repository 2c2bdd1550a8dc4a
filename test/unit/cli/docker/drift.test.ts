import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint, parseCheckpoint, Resource } from "@store/cli/state/checkpoint";
import { StoreContainer } from "@store/cli/docker/containers";
import { planDrift, DockerState } from "@store/cli/docker/drift";
import { describeDeletions, planDown } from "@store/cli/lifecycle/downPlan";

/** State of this program after the engine was killed while it created broken-0; only the fields that the CLI reads. */
const KILLED = parseCheckpoint(readFileSync(join(__dirname, "killed-checkpoint.json"), "utf8"));

describe("planDrift", () => {
  it("is empty if Docker has exactly the resources in the state", () => {
    const checkpoint = { ...KILLED, pending: [] };
    assert.deepEqual(planDrift(checkpoint, dockerStateOf(checkpoint)), {
      differences: [],
      clearPendingCreates: false,
      orphans: [],
    });
  });

  it("clears a pending creation and removes its container", () => {
    const left = container({ id: "left", name: "broken-0-5a852e2", health: "starting" });
    const actual = withContainers(dockerStateOf(KILLED), left);
    assert.deepEqual(planDrift(KILLED, actual), {
      differences: ["creating broken-0 was interrupted"],
      clearPendingCreates: true,
      orphans: [{ kind: "container", id: "left", name: "broken-0-5a852e2", serving: false }],
    });
  });

  it("removes a container that an interrupted run has created without recording it", () => {
    const checkpoint = { ...KILLED, pending: [] };
    const left = container({ id: "left", name: "broken-0-ac4c31e", state: "created" });
    const actual = withContainers(dockerStateOf(checkpoint), left);
    assert.deepEqual(planDrift(checkpoint, actual).orphans, []);
    assert.deepEqual(
      planDrift(checkpoint, actual, ["broken-0-ac4c31e"]).orphans.map(({ id }) => id),
      ["left"],
    );
  });

  it("ignores containers of another workspace with the same labels", () => {
    const theirs = container({ id: "theirs", name: "orders-0-1234567", networks: ["theirs"] });
    assert.deepEqual(planDrift(KILLED, withContainers(dockerStateOf(KILLED), theirs)).orphans, []);
  });

  it("finds unrecorded containers on the stack's networks, and marks those that serve requests", () => {
    const network = KILLED.resources.find(({ type }) => type === "docker:index/network:Network");
    const lost = container({
      id: "lost",
      name: "orders-0-1234567",
      health: "healthy",
      networks: [network?.id ?? ""],
    });
    const { orphans } = planDrift(KILLED, withContainers(dockerStateOf(KILLED), lost));
    assert.deepEqual(orphans, [
      { kind: "container", id: "lost", name: "orders-0-1234567", serving: true },
    ]);
  });

  it("finds a container that an interrupted run left with a volume, which the volume's removal would wait for", () => {
    const volume = KILLED.resources.find(({ type }) => type === "docker:index/volume:Volume");
    const writer = (volumes: string[]) =>
      container({ id: "writer", name: "eager_curie", role: "files", state: "created", volumes });
    const left = withContainers(dockerStateOf(KILLED), writer([volume?.id ?? ""]));
    assert.deepEqual(planDrift(KILLED, left).orphans, [
      { kind: "container", id: "writer", name: "eager_curie", serving: false },
    ]);
    const theirs = withContainers(dockerStateOf(KILLED), writer(["theirs"]));
    assert.deepEqual(planDrift(KILLED, theirs).orphans, []);
  });

  it("doesn't leave an unrecorded database or gateway until after the up, because it holds the data or the port", () => {
    const checkpoint = { ...KILLED, pending: [] };
    for (const role of ["database", "gateway"] as const) {
      const lost = container({ id: "lost", name: "lost-1234567", health: "healthy", role });
      const actual = withContainers(dockerStateOf(checkpoint), lost);
      assert.equal(planDrift(checkpoint, actual, [lost.name]).orphans[0]?.serving, false, role);
    }
  });

  it("reports resources that were removed or stopped by hand", () => {
    const checkpoint = { ...KILLED, pending: [] };
    const actual = dockerStateOf(checkpoint);
    const [first, ...others] = actual.containers.filter(({ role }) => role !== "files");
    assert.ok(first);
    const missing = {
      ...actual,
      containers: others,
      volumes: [],
      images: new Map<string, string[]>(),
    };
    const { differences } = planDrift(checkpoint, missing);
    assert.ok(differences.some((line) => /^image storefront-image:/.test(line)));
    assert.ok(differences.some((line) => /^inventory-data /.test(line)));
    assert.ok(differences.some((line) => /^(gateway|storefront-0) /.test(line)));

    const exited = (c: StoreContainer): StoreContainer =>
      c.id === first.id ? { ...c, state: "exited" } : c;
    const stopped = { ...actual, containers: actual.containers.map(exited) };
    assert.deepEqual(planDrift(checkpoint, stopped).differences, [`${first.name} is exited`]);
  });

  it("finds a Swarm service that an interrupted run has created, and removes it before the engine runs", () => {
    const recorded = resource("docker:index/service:Service", "orders", "s1");
    const checkpoint: Checkpoint = { resources: [recorded], pending: [] };
    const services = [
      { id: "s1", name: "orders-1", stack: "dev" },
      { id: "s2", name: "orders-2", stack: "dev" },
      { id: "s3", name: "orders-3", stack: "dev" },
    ];
    const { differences, orphans } = planDrift(checkpoint, { ...NOTHING, services }, ["orders-2"]);
    assert.deepEqual(differences, []);
    assert.deepEqual(orphans, [{ kind: "service", id: "s2", name: "orders-2", serving: false }]);
  });

  it("doesn't expect a files container to run", () => {
    const checkpoint: Checkpoint = {
      resources: [resource("docker:index/container:Container", "gateway-config", "c1")],
      pending: [],
    };
    const files = container({
      id: "c1",
      name: "gateway-config-1",
      role: "files",
      state: "created",
    });
    assert.deepEqual(planDrift(checkpoint, { ...NOTHING, containers: [files] }).differences, []);
  });
});

describe("planDown", () => {
  it("deletes everything but the data", () => {
    const plan = planDown(KILLED, dockerStateOf(KILLED), false);
    assert.ok(plan.services.some((name) => name.startsWith("storefront")));
    assert.ok(plan.containers > 0);
    assert.ok(plan.otherResources > 0);
    assert.equal(plan.hasPendingOperations, true);
    assert.deepEqual([plan.vms, plan.deletedVolumes, plan.deletedDisks], [[], [], []]);
    assert.equal(plan.keptData.length, 4);
    assert.ok(plan.keptData.every((name) => name.includes("-data-")));
  });

  it("deletes the data, too, with --volumes, and names the volumes", () => {
    const plan = planDown(KILLED, dockerStateOf(KILLED), true);
    assert.equal(plan.deletedVolumes.length, 4);
    assert.deepEqual(plan.keptData, []);
    assert.match(describeDeletions(plan).at(-1) ?? "", /inventory-data-/);
  });

  it("keeps the lock and the last snapshot of a data disk, which aren't protected, unless the data is deleted", () => {
    const azure = (type: string, more: Partial<Resource> = {}): Resource => ({
      type: `azure-native:${type}`,
      urn: `urn:pulumi:staging::store::azure-native:${type}::host-data`,
      id: `/subscriptions/1/${type}/host-data`,
      ...more,
    });
    const [lock, snapshot] = [
      azure("authorization:ManagementLockByScope"),
      azure("compute:Snapshot"),
    ];
    const resources = [
      azure("compute:Disk", { protect: true }),
      lock,
      snapshot,
      azure("compute:VirtualMachine"),
    ];
    const state = { resources, pending: [] };
    assert.deepEqual(planDown(state, undefined, false).keptUrns, [lock.urn, snapshot.urn]);
    assert.deepEqual(planDown(state, undefined, true).keptUrns, []);
  });

  it("names the DNS records that it deletes, after which the names lead nowhere", () => {
    const type = "azure-native:dns:RecordSet";
    const record: Resource = {
      type,
      urn: `urn:pulumi:staging::store::store:index:AzureHost$${type}::host-shop.example.org`,
      id: "/subscriptions/1/resourceGroups/dns/providers/Microsoft.Network/dnszones/example.org/A/shop",
    };
    const plan = planDown({ resources: [record], pending: [] }, undefined, false);
    assert.ok(describeDeletions(plan).includes("DNS records of shop.example.org"));
  });

  it("leaves another workspace's containers with the same labels alone", () => {
    const actual = { ...NOTHING, containers: [container({ id: "theirs" })] };
    assert.deepEqual(describeDeletions(planDown(undefined, actual, true)), []);
  });

  it("dissolves the swarm that a failed first up has created", () => {
    const command = (name: string): Resource => ({
      ...{ type: "command:remote:Command", urn: `urn:pulumi:test::store::x::${name}`, id: name },
    });
    const resources = ["swarm-init", "swarm-join-192.0.2.2", "host-ready"].map(command);
    const plan = planDown({ resources, pending: [] }, undefined, false);
    assert.deepEqual(describeDeletions(plan), ["the swarm of 2 machines"]);
  });

  it("deletes nothing if there is nothing, or only data to keep", () => {
    assert.deepEqual(describeDeletions(planDown(undefined, NOTHING, true)), []);
    const onlyData = {
      ...KILLED,
      pending: [],
      resources: KILLED.resources.filter(({ protect }) => protect === true),
    };
    const plan = planDown(onlyData, NOTHING, false);
    assert.deepEqual(describeDeletions(plan), []);
    assert.equal(plan.keptData.length, 4);
  });
});

const NOTHING: DockerState = {
  containers: [],
  networks: [],
  volumes: [],
  services: [],
  images: new Map(),
};

/** Docker's resources without any drift from the state. */
function dockerStateOf(checkpoint: Checkpoint): DockerState {
  const of = (type: string): Resource[] => checkpoint.resources.filter((r) => r.type === type);
  return {
    containers: of("docker:index/container:Container").map(({ id = "", urn }) => {
      const name = urn.split("::").at(-1) ?? "";
      const role = /-(config|secrets)$/.test(name) ? "files" : "service";
      return container({
        id,
        name,
        service: name,
        role,
        state: role === "files" ? "created" : "running",
      });
    }),
    networks: of("docker:index/network:Network").map(({ id = "" }) => ({
      id,
      name: id,
      stack: "dev",
    })),
    volumes: of("docker:index/volume:Volume").map(({ id = "" }) => ({ name: id })),
    services: [],
    images: new Map(
      of("docker:index/remoteImage:RemoteImage").map(({ outputs }) => [
        String(outputs?.["imageId"]),
        [String(outputs?.["name"])],
      ]),
    ),
  };
}

function withContainers(actual: DockerState, ...more: StoreContainer[]): DockerState {
  return { ...actual, containers: [...actual.containers, ...more] };
}

function container(changes: Partial<StoreContainer>): StoreContainer {
  return {
    id: "id",
    name: "name",
    stack: "dev",
    service: "service",
    role: "service",
    replica: 0,
    state: "running",
    status: "Up 1 second",
    health: undefined,
    created: new Date(0),
    image: "image",
    imageId: "sha256:1",
    networks: [],
    volumes: [],
    ports: [],
    ...changes,
  };
}

function resource(type: string, name: string, id: string): Resource {
  return { type, id, urn: `urn:pulumi:dev::store::${type}::${name}` };
}

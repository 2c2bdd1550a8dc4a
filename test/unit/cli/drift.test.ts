import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint, parseCheckpoint, Resource } from "@store/cli/state/checkpoint";
import { StoreContainer } from "@store/cli/docker/containers";
import { planDrift, DockerState } from "@store/cli/docker/drift";
import { describeDeletions, planDown } from "@store/cli/lifecycle/downPlan";

/** The engine's record of this program after it was killed while broken-0 was being made; only what we read of it. */
const KILLED = parseCheckpoint(
  readFileSync(join(__dirname, "recordings/killed-checkpoint.json"), "utf8"),
);

describe("healing", () => {
  it("has nothing to do when everything is as recorded", () => {
    const record = { ...KILLED, pending: [] };
    assert.deepEqual(planDrift(record, presentOf(record)), {
      differences: [],
      clearPendingCreates: false,
      orphans: [],
    });
  });

  it("forgets a creation that was killed, and removes what it has left", () => {
    const left = container({ id: "left", name: "broken-0-5a852e2", health: "starting" });
    const there = withContainers(presentOf(KILLED), left);
    assert.deepEqual(planDrift(KILLED, there), {
      differences: ["broken-0 was interrupted while creating"],
      clearPendingCreates: true,
      orphans: [{ kind: "container", id: "left", name: "broken-0-5a852e2", serving: false }],
    });
  });

  it("removes what was made when the daemon went away before it could say so", () => {
    const record = { ...KILLED, pending: [] };
    const left = container({ id: "left", name: "broken-0-ac4c31e", state: "created" });
    const there = withContainers(presentOf(record), left);
    assert.deepEqual(planDrift(record, there).orphans, []);
    assert.deepEqual(
      planDrift(record, there, ["broken-0-ac4c31e"]).orphans.map(({ id }) => id),
      ["left"],
    );
  });

  it("leaves alone what another checkout has made with the same labels", () => {
    const theirs = container({ id: "theirs", name: "orders-0-1234567", networks: ["theirs"] });
    assert.deepEqual(planDrift(KILLED, withContainers(presentOf(KILLED), theirs)).orphans, []);
  });

  it("finds what is on our networks and not recorded; what serves goes later", () => {
    const network = KILLED.resources.find(({ type }) => type === "docker:index/network:Network");
    const lost = container({
      id: "lost",
      name: "orders-0-1234567",
      health: "healthy",
      networks: [network?.id ?? ""],
    });
    const { orphans } = planDrift(KILLED, withContainers(presentOf(KILLED), lost));
    assert.deepEqual(orphans, [
      { kind: "container", id: "lost", name: "orders-0-1234567", serving: true },
    ]);
  });

  it("notices what was removed or stopped by hand", () => {
    const record = { ...KILLED, pending: [] };
    const there = presentOf(record);
    const [first, ...others] = there.containers.filter(({ role }) => role !== "files");
    assert.ok(first);
    const gone = { ...there, containers: others, volumes: [], images: new Set<string>() };
    const { differences } = planDrift(record, gone);
    assert.ok(differences.some((line) => /^image storefront-image:.* is gone$/.test(line)));
    assert.ok(differences.some((line) => /^inventory-data is gone$/.test(line)));
    assert.ok(
      differences.includes("gateway is gone") || differences.includes("storefront-0 is gone"),
    );

    const exited = (c: StoreContainer): StoreContainer =>
      c.id === first.id ? { ...c, state: "exited" } : c;
    const stopped = { ...there, containers: there.containers.map(exited) };
    assert.deepEqual(planDrift(record, stopped).differences, [`${first.name} is exited`]);
  });

  it("doesn't miss that a container of files never runs", () => {
    const record: Checkpoint = {
      resources: [resource("docker:index/container:Container", "gateway-config", "c1")],
      pending: [],
    };
    const files = container({
      id: "c1",
      name: "gateway-config-1",
      role: "files",
      state: "created",
    });
    assert.deepEqual(planDrift(record, { ...NOTHING, containers: [files] }).differences, []);
  });
});

describe("planDown", () => {
  it("deletes everything but the data", () => {
    const plan = planDown(KILLED, presentOf(KILLED), false);
    assert.ok(plan.services.some((name) => name.startsWith("storefront")));
    assert.ok(plan.containers > 0);
    assert.ok(plan.otherResources > 0);
    assert.equal(plan.hasPendingOperations, true);
    assert.deepEqual([plan.vms, plan.deletedVolumes, plan.deletedDisks], [[], [], []]);
    assert.equal(plan.keptData.length, 4);
    assert.ok(plan.keptData.every((name) => name.includes("-data-")));
  });

  it("deletes the data, too, with --volumes, and names the volumes", () => {
    const plan = planDown(KILLED, presentOf(KILLED), true);
    assert.equal(plan.deletedVolumes.length, 4);
    assert.deepEqual(plan.keptData, []);
    assert.match(describeDeletions(plan).at(-1) ?? "", /inventory-data-/);
  });

  it("leaves another checkout's containers with the same labels alone", () => {
    const there = { ...NOTHING, containers: [container({ id: "theirs" })] };
    assert.deepEqual(describeDeletions(planDown(undefined, there, true)), []);
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

const NOTHING: DockerState = { containers: [], networks: [], volumes: [], images: new Set() };

/** What Docker has when the record is right. */
function presentOf(record: Checkpoint): DockerState {
  const of = (type: string): Resource[] => record.resources.filter((r) => r.type === type);
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
    networks: of("docker:index/network:Network").map(({ id = "" }) => ({ id, name: id })),
    volumes: of("docker:index/volume:Volume").map(({ id = "" }) => ({ name: id })),
    images: new Set(
      of("docker:index/remoteImage:RemoteImage").map(({ outputs }) => String(outputs?.["imageId"])),
    ),
  };
}

function withContainers(there: DockerState, ...more: StoreContainer[]): DockerState {
  return { ...there, containers: [...there.containers, ...more] };
}

function container(over: Partial<StoreContainer>): StoreContainer {
  return {
    id: "id",
    name: "name",
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
    ports: [],
    ...over,
  };
}

function resource(type: string, name: string, id: string): Resource {
  return { type, id, urn: `urn:pulumi:dev::store::${type}::${name}` };
}

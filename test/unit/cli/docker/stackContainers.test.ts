import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { LABEL } from "../../../../components/container/labelNames";
import { ContainerSummary } from "@store/cli/docker/containers";
import { Docker } from "@store/docker/docker";
import { cleanUp } from "@store/cli/lifecycle/cleanUp";
import { removeUnusedImages } from "@store/cli/docker/images";
import { refuseStackName, selectContainers } from "@store/cli/docker/selectContainers";
import { stackContainers } from "@store/cli/docker/stackContainers";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import type { Session } from "@store/cli/project/session";
import { createSession, writeState } from "../diagnostics/failedRun";

describe("two checkouts with a stack of the same name on one daemon", () => {
  let session: Session;
  beforeEach(() => {
    session = createSession({ "store:host": "local" });
  });

  const ids = async (docker: Docker): Promise<string[]> =>
    (await stackContainers(session, docker)).map(({ id }) => id);

  it("have only the containers of their own state, and those on its networks", async () => {
    writeState(session, { containers: ["own"], networks: ["own-network"] });
    const docker = dockerWith(
      summary({ Id: "own" }),
      // A running `up` has started it and not recorded it yet.
      summary({ Id: "starting", network: "own-network" }),
      summary({ Id: "theirs", network: "their-network" }),
    );
    assert.deepEqual(await ids(docker), ["own", "starting"]);
  });

  it("keep their containers when the stack is renamed", async () => {
    writeState(session, { containers: ["own"] });
    assert.deepEqual(await ids(dockerWith(summary({ Id: "own", stack: "previous" }))), ["own"]);
  });

  it("say that a service without a database container has none", async () => {
    writeState(session, { containers: ["own"] });
    const docker = dockerWith(summary({ Id: "own", role: "service" }));
    await assert.rejects(
      selectContainers(session, docker, "inventory-database"),
      /inventory has no database container in the stack dev: .*store:databaseUrl/,
    );
  });

  it("don't select the other one's containers, and say whose they are", async () => {
    const docker = dockerWith(summary({ Id: "theirs" }));
    await assert.rejects(
      selectContainers(session, docker, "inventory-database"),
      /The stack dev has no containers.*Docker has 1 containers of another stack dev.*theirs/,
    );
  });

  function dockerWith(...containers: readonly ContainerSummary[]): Docker {
    return { list: () => Promise.resolve(containers) } as unknown as Docker;
  }
});

describe("refuseStackName", () => {
  const session = createSession({});
  mkdirSync(join(session.project.root, "services"));
  writeFileSync(join(session.project.root, "Pulumi.staging.yaml"), "config: {}\n");

  it("guesses that a stack is meant, and corrects the command line", () => {
    assert.throws(
      () => refuseStackName(session, "staging", "logs"),
      (error: unknown) =>
        error instanceof UsageError &&
        error.hint === "Name the stack with -s: ./store logs -s staging",
    );
    refuseStackName(session, "gateway", "logs");
    refuseStackName(session, undefined, "logs");
  });
});

function summary(of: {
  Id: string;
  network?: string;
  stack?: string;
  role?: string;
}): ContainerSummary {
  const labels = {
    [LABEL.project]: "store",
    [LABEL.stack]: of.stack ?? "dev",
    [LABEL.service]: "inventory",
    [LABEL.role]: of.role ?? "database",
  };
  return {
    ...{ Id: of.Id, Names: [`/${of.Id}`], Image: "i", ImageID: "i", Created: 1, Labels: labels },
    ...{ State: "running", Status: "Up 1 second" },
    NetworkSettings: { Networks: { n: { NetworkID: of.network ?? "none" } } },
  };
}

describe("removeUnusedImages", () => {
  const layersById: Readonly<Record<string, readonly string[]>> = {
    "sha256:base": ["1"],
    "sha256:inventory": ["1", "2"],
    "sha256:orders": ["1", "3"],
  };
  const images = Object.keys(layersById).map((Id) => ({ Id, RepoTags: [nameOf(Id)] }));
  const before: Checkpoint = {
    pending: [],
    resources: ["sha256:base", "sha256:inventory"].map((imageId) => ({
      ...{ urn: imageId, type: "t", outputs: { imageId, name: nameOf(imageId) } },
    })),
  };

  it("removes the stack's images", async () => {
    const { docker, removed } = dockerWith([]);
    await removeUnusedImages(createSession({}), docker, before);
    assert.deepEqual(removed, ["store/base:1", "store/inventory:1"]);
  });

  it("keeps those that containers of another checkout use, and the bases of their images", async () => {
    const using = dockerWith(["sha256:inventory"]);
    await removeUnusedImages(createSession({}), using.docker, before);
    assert.deepEqual(using.removed, []);
    const sharing = dockerWith(["sha256:orders"]);
    await removeUnusedImages(createSession({}), sharing.docker, before);
    assert.deepEqual(sharing.removed, ["store/inventory:1"]);
  });

  it("remembers an image that it keeps, for the next down", async () => {
    const session = createSession({});
    await removeUnusedImages(session, dockerWith(["sha256:inventory"]).docker, before);
    const { docker, removed } = dockerWith([]);
    const record = join(session.state.folder, "used-images", `${session.stack.name}.json`);
    assert.ok(existsSync(record));
    await removeUnusedImages(session, docker, undefined);
    assert.deepEqual(removed, ["store/base:1", "store/inventory:1"]);
    assert.ok(!existsSync(record));
  });

  it("reports an image that Docker refuses to remove, with Docker's reason", async () => {
    const reason = "conflict: unable to remove (must force): image is being used by container ab12";
    // A container that another checkout has started after the look at the containers.
    const answers: Readonly<Record<string, [status: number, body: unknown]>> = {
      "GET /images/json": [200, images],
      "DELETE /images/store/base:1": [409, { message: reason }],
      "DELETE /images/store/inventory:1": [200, []],
      "GET /volumes": [200, { Volumes: [] }],
    };
    const folder = mkdtempSync(join(tmpdir(), "down-"));
    const server = createServer(({ method, url }, response) => {
      const path = url?.split("?")[0] ?? "";
      const [status, body] = answers[`${method ?? ""} ${path}`] ?? [200, []];
      response.writeHead(status).end(JSON.stringify(body));
    });
    await once(server.listen(join(folder, "docker.sock")), "listening");
    const notes: string[] = [];
    const note = (line: string): number => notes.push(line);
    try {
      const docker = new Docker({ host: `unix://${folder}/docker.sock` });
      const report = { step: note, note, progress: note };
      await cleanUp(createSession({}), docker, before, undefined, report);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
    assert.deepEqual(notes, [
      "removed 1 unused images: store/inventory:1",
      `kept image store/base:1 (${reason})`,
    ]);
  });

  function nameOf(id: string): string {
    return `${id.replace("sha256:", "store/")}:1`;
  }

  /** @param used IDs of the images of another checkout's containers. */
  function dockerWith(used: readonly string[]): { docker: Docker; removed: string[] } {
    const removed: string[] = [];
    const docker = {
      list: (path: string) =>
        Promise.resolve(path === "/images/json" ? images : used.map((ImageID) => ({ ImageID }))),
      get: (path: string) => {
        const [, id = ""] = /^\/images\/(.+)\/json$/.exec(path) ?? [];
        return Promise.resolve({ RootFS: { Layers: layersById[id] } });
      },
      remove: (path: string) => {
        removed.push(path.replace("/images/", ""));
        return Promise.resolve(undefined);
      },
    };
    return { docker: docker as unknown as Docker, removed };
  }
});

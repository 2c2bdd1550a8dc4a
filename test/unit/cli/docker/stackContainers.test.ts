import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { ContainerSummary, LABEL } from "@store/cli/docker/containers";
import type { Docker } from "@store/docker/docker";
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
    const correct = (option: string): string => `./store logs${option}`;
    assert.throws(
      () => refuseStackName(session, "staging", correct),
      (error: unknown) =>
        error instanceof UsageError &&
        error.hint === "Name the stack with -s: ./store logs -s staging",
    );
    refuseStackName(session, "gateway", correct);
    refuseStackName(session, undefined, correct);
  });
});

function summary(of: { Id: string; network?: string; stack?: string }): ContainerSummary {
  const labels = {
    [LABEL.project]: "store",
    [LABEL.stack]: of.stack ?? "dev",
    [LABEL.service]: "inventory",
    [LABEL.role]: "database",
  };
  return {
    ...{ Id: of.Id, Names: [`/${of.Id}`], Image: "i", ImageID: "i", Created: 1, Labels: labels },
    ...{ State: "running", Status: "Up 1 second" },
    NetworkSettings: { Networks: { n: { NetworkID: of.network ?? "none" } } },
  };
}

describe("removeUnusedImages", () => {
  const image = { Id: "sha256:1", RepoTags: ["store/inventory:1"] };
  const before: Checkpoint = {
    pending: [],
    resources: [
      { urn: "u", type: "t", outputs: { imageId: "sha256:1", name: "store/inventory:1" } },
    ],
  };

  it("removes the stack's images, but none while Docker has containers of another checkout", async () => {
    const session = createSession({});
    assert.deepEqual(await removeUnusedImages(session, dockerWith(), before), [
      "store/inventory:1",
    ]);
    assert.deepEqual(
      await removeUnusedImages(session, dockerWith(summary({ Id: "theirs" })), before),
      [],
    );
  });

  function dockerWith(...containers: readonly ContainerSummary[]): Docker {
    return {
      list: (path: string) => Promise.resolve(path === "/images/json" ? [image] : containers),
      remove: () => Promise.resolve(undefined),
    } as unknown as Docker;
  }
});

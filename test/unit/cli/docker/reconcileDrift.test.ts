import assert from "node:assert/strict";
import { reconcileDrift } from "@store/cli/lifecycle/reconcileDrift";
import type { EngineContext } from "@store/cli/engine/setup";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { createSession } from "../diagnostics/failedRun";

describe("reconcileDrift", () => {
  const checkpoint: Checkpoint = {
    pending: [],
    resources: [
      {
        ...{ urn: "a::inventory-0", type: "docker:index/container:Container", id: "c1" },
        inputs: { labels: [], networksAdvanced: [] },
      },
    ],
  };
  const summary = {
    ...{ Id: "c1", Names: ["/inventory-0-1"], Image: "i", ImageID: "i", Created: 1 },
    ...{ State: "paused", Status: "Up 1 second (Paused)" },
  };
  const inspection = { Id: "c1", Name: "/inventory-0-1", State: { Running: true, Paused: true } };
  let posts: string[];

  /** @returns the rest of the drift of a stack with a paused container. */
  function reconcile(mayRepair: boolean): ReturnType<typeof reconcileDrift> {
    posts = [];
    const docker = {
      list: (path: string) => Promise.resolve(path === "/containers/json" ? [summary] : []),
      get: (path: string) =>
        Promise.resolve(path === "/containers/c1/json" ? inspection : undefined),
      post: (path: string) => Promise.resolve(void posts.push(path)),
    } as unknown as Docker;
    const silent = { step: ignore, note: ignore, progress: ignore };
    const target = { docker, checkpoint, mayRepair };
    return reconcileDrift(createSession({}), {} as EngineContext, target, silent);
  }

  it("repairs what Docker can repair", async () => {
    const { differences } = await reconcile(true);
    assert.deepEqual(posts, ["/containers/c1/unpause"]);
    assert.deepEqual(differences, []);
  });

  it("leaves a remote host alone that no --yes allows to change, and has the engine refresh the state", async () => {
    const { differences, replace } = await reconcile(false);
    assert.deepEqual(posts, []);
    assert.deepEqual(differences, ["inventory-0-1 is paused"]);
    assert.deepEqual(replace, []);
  });

  it("leaves a host that has lost its swarm alone without --yes, and says what --yes would do", async () => {
    const joined = {
      ...{ urn: "a::swarm-join-192.0.2.2", type: "command:remote:Command" },
      outputs: { stdout: "node" },
    };
    const docker = {
      list: (path: string) =>
        path === "/nodes"
          ? Promise.reject(new CliError("Docker refused /nodes: This node is not a swarm manager."))
          : Promise.resolve([]),
      get: () => Promise.resolve(undefined),
    } as unknown as Docker;
    const target = { docker, checkpoint: { pending: [], resources: [joined] }, mayRepair: false };
    const silent = { step: ignore, note: ignore, progress: ignore };
    await assert.rejects(
      reconcileDrift(createSession({}), {} as EngineContext, target, silent),
      ({ summary, hint }: CliError) => /manage the swarm/.test(summary) && /--yes/.test(hint ?? ""),
    );
  });
});

function ignore(): void {
  // A note of the command.
}

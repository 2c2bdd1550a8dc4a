import assert from "node:assert/strict";
import { findLostImages, restoreNames } from "@store/cli/lifecycle/lostImages";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import type { Docker } from "@store/docker/docker";

describe("images of the state that Docker has lost", () => {
  const state: Checkpoint = {
    pending: [],
    resources: [
      ["sha256:1", "store/inventory:1a"],
      ["sha256:2", "store/orders:2b"],
      ["sha256:3", "postgres:18.4"],
      ["sha256:4", "r.example/store/billing:4d@sha256:4"],
    ].map(([imageId = "", name]) => ({ urn: imageId, type: "t", outputs: { imageId, name } })),
  };

  it("get their names back if only the names are gone", async () => {
    const posts: string[] = [];
    const docker = { post: (path: string) => Promise.resolve(void posts.push(path)) };
    const notes: string[] = [];
    const report = { step: fail, progress: fail, note: (text: string) => void notes.push(text) };
    const images = new Map([
      ["sha256:1", []],
      ["sha256:3", []],
    ]);
    await restoreNames(docker as unknown as Docker, state, images, report);
    assert.deepEqual(posts, ["/images/sha256:1/tag?repo=store%2Finventory&tag=1a"]);
    assert.deepEqual(notes, ["image store/inventory:1a had lost its name: restored"]);
  });

  it("don't get a name that another image has", async () => {
    const images = new Map([
      ["sha256:1", []],
      ["sha256:9", ["store/inventory:1a"]],
    ]);
    const report = { step: fail, progress: fail, note: fail };
    await restoreNames({ post: fail } as unknown as Docker, state, images, report);
  });

  it("are listed, so that an up builds them again", async () => {
    const list = (): Promise<object[]> =>
      Promise.resolve([{ RepoTags: ["store/inventory:1a"] }, { RepoTags: null }]);
    const lost = await findLostImages({ list } as unknown as Docker, state);
    assert.deepEqual(lost, ["store/orders:2b"]);
  });

  function fail(): never {
    assert.fail("not expected");
  }
});

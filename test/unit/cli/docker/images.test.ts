import assert from "node:assert/strict";
import { removable } from "@store/cli/docker/images";

describe("removable", () => {
  const own = {
    names: new Set(["store/inventory:0", "store/inventory:1"]),
    ids: new Set(["own"]),
  };
  const none = new Set<string>();

  it("returns the stack's own names of images that nothing uses", () => {
    const images = [
      { Id: "a", RepoTags: ["store/inventory:0", "registry/store/inventory:0"] },
      { Id: "b", RepoTags: ["store/inventory:1"] },
    ];
    assert.deepEqual(removable(images, new Set(["b"]), own), [
      { id: "a", name: "store/inventory:0" },
    ]);
  });

  it("leaves images of other checkouts alone, also those without a name", () => {
    const images = [
      { Id: "a", RepoTags: ["store/orders:2"] },
      { Id: "b", RepoTags: null },
      { Id: "c", RepoTags: ["<none>:<none>"] },
    ];
    assert.deepEqual(removable(images, none, own), []);
  });

  it("returns the IDs of the stack's own images that have lost their names", () => {
    const lost = { id: "own", name: "own" };
    for (const RepoTags of [null, [], ["<none>:<none>"]]) {
      assert.deepEqual(removable([{ Id: "own", RepoTags }], none, own), [lost]);
    }
  });
});

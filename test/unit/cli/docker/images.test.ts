import assert from "node:assert/strict";
import { removable } from "@store/cli/docker/images";

describe("removable", () => {
  const own = new Set(["store/inventory:0", "store/inventory:1"]);

  it("returns the stack's own names of images that nothing uses", () => {
    const images = [
      { Id: "a", RepoTags: ["store/inventory:0", "registry/store/inventory:0"] },
      { Id: "b", RepoTags: ["store/inventory:1"] },
    ];
    assert.deepEqual(removable(images, new Set(["b"]), own), ["store/inventory:0"]);
  });

  it("leaves images of other checkouts alone, also those without a name", () => {
    const images = [
      { Id: "a", RepoTags: ["store/orders:2"] },
      { Id: "b", RepoTags: null },
      { Id: "c", RepoTags: ["<none>:<none>"] },
    ];
    assert.deepEqual(removable(images, new Set(), own), []);
  });
});

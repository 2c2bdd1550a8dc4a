import assert from "node:assert/strict";
import { removable } from "@store/cli/docker/images";

describe("removable", () => {
  const now = 1_800_000_000_000;
  const hourOld = now - 3_600_000;
  const justNow = now - 60_000;
  const ours = new Set(["store/inventory:1"]);

  it("returns all names of an unused image, or its ID", () => {
    const unused = [
      { Id: "a", RepoTags: ["store/inventory:0", "registry/store/inventory:0"], taggedAt: hourOld },
      { Id: "b", RepoTags: null, taggedAt: hourOld },
      { Id: "c", RepoTags: ["<none>:<none>"], taggedAt: hourOld },
    ];
    assert.deepEqual(removable(unused, ours, now), [
      ...["store/inventory:0", "registry/store/inventory:0", "b", "c"],
    ]);
  });

  it("returns only the stack's own names of an image that another workspace may have just built", () => {
    const unused = [
      { Id: "a", RepoTags: ["store/orders:2"], taggedAt: justNow },
      { Id: "b", RepoTags: ["store/inventory:1", "registry/store/inventory:1"], taggedAt: justNow },
      { Id: "c", RepoTags: [], taggedAt: justNow },
    ];
    assert.deepEqual(removable(unused, ours, now), ["store/inventory:1"]);
  });
});

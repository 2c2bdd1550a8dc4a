import assert from "node:assert/strict";
import { renderTable } from "../../dockerVersions/results";

describe("Results of the tier docker-versions", () => {
  it("become a row each, with the failure where one was", () => {
    const table = renderTable({
      "on Docker 28": {
        ...{ date: "2026-11-28", outcome: "works", docker: "28.5.2, overlay2", node: "24.0.0" },
        ...{ up: 40, rollout: 12, requests: 900, lostRequests: 0, longestGapMs: 90 },
        ...{ preview: 4, down: 9 },
      },
      "without git": { date: "2026-11-27", outcome: "fails: git isn't there", up: 41 },
    });
    assert.deepEqual(table.split("\n").slice(2), [
      "| on Docker 28 | works | 2026-11-28 | 28.5.2, overlay2 | 24.0.0 | 40 s | 12 s | 900, 0 | 90 ms | 4 s | 9 s |",
      "| without git | fails: git isn't there | 2026-11-27 |  |  | 41 s |  |  |  |  |  |",
    ]);
  });
});

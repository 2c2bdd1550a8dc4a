import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { temporaryFolder } from "@store/cli/engine/environment/temporaryFolder";
import { withEnvironment } from "../../environment";

describe("temporaryFolder", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is inside the run's folder, with links to the caches outside", async function () {
    const user = process.geteuid?.();
    if (user === undefined) this.skip();
    const run = mkdtempSync(join(folder, "run-"));
    await withEnvironment({ TMPDIR: folder }, () => {
      writeFileSync(join(temporaryFolder(run), `tsx-${user}`, "compiled"), "once");
    });
    rmSync(run, { recursive: true });
    assert.equal(readFileSync(join(folder, `tsx-${user}`, "compiled"), "utf8"), "once");
  });
});

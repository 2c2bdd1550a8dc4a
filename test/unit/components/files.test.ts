import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFilesScript } from "../../../components/container/files";

describe("writeFilesScript", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "files-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(files: Readonly<Record<string, string>>): void {
    execFileSync("sh", ["-s"], { input: writeFilesScript(files, folder) });
  }

  it("writes any content unchanged, readable by any user", () => {
    const files = {
      password: 'pa\'ss "$HOME" `id` %s \\n',
      "haproxy.cfg": "global\n  log stdout\n\n",
      empty: "",
    };
    run(files);
    for (const [name, content] of Object.entries(files)) {
      assert.equal(readFileSync(join(folder, name), "utf8"), content, name);
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o444, name);
    }
  });

  it("replaces and removes files of an earlier run", () => {
    run({ one: "1", two: "2" });
    writeFileSync(join(folder, "left over"), "");
    run({ two: "3" });
    assert.deepEqual(readdirSync(folder), ["two"]);
    assert.equal(readFileSync(join(folder, "two"), "utf8"), "3");
  });
});

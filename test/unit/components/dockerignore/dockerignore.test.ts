import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contextEntries } from "../../../../components/image/context/contextEntries";
import { generateSets, TREE } from "./generate";

describe("contextEntries", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    for (const path of TREE) {
      mkdirSync(path.endsWith("/") ? join(folder, path) : dirname(join(folder, path)), {
        recursive: true,
      });
      if (!path.endsWith("/")) writeFileSync(join(folder, path), "");
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function entries(dockerignore: string): string[] {
    writeFileSync(join(folder, ".dockerignore"), dockerignore);
    return contextEntries(folder, "Dockerfile").map(({ path, kind }) =>
      kind === "folder" ? `${path}/` : path,
    );
  }

  // Recorded by record.sh from BuildKit's own packages. After a change of generate.ts, run it again.
  it("lists what BuildKit sends, for generated patterns", () => {
    const recorded = JSON.parse(readFileSync(join(__dirname, "recorded.json"), "utf8")) as (
      string[] | null
    )[];
    const sets = generateSets();
    assert.equal(sets.length, recorded.length, "recorded.json is outdated: run record.sh");
    for (const [index, set] of sets.entries()) {
      const expected = recorded[index];
      if (expected)
        assert.deepEqual(entries(set).sort(), [...expected].sort(), JSON.stringify(set));
      else assert.throws(() => entries(set), /\.dockerignore: the pattern/, JSON.stringify(set));
    }
  });

  it("lists files that an exception with a wildcard includes", () => {
    assert.deepEqual(entries("*\n!a\n!src/**/*.ts\n"), [
      "a",
      "src/a.test.ts",
      "src/a.ts",
      "src/b/a.ts",
      "src/b/c/a.ts",
    ]);
  });

  it("rejects patterns that Go and JavaScript read differently", () => {
    assert.throws(() => entries("\\d"), /\\d.*isn't supported/);
    assert.throws(() => entries("[[:alpha:]]"), /isn't supported/);
  });
});

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildGoBinary } from "@store/toolchain/engine/goBinary";
import { pipRemedy } from "@store/toolchain/tools/workflowLinters";

describe("A failed installation of the linters", () => {
  it("blames the network only for pip's network errors", () => {
    assert.match(pipRemedy("WARNING: Retrying after connection broken"), /reaches PyPI.*PIP_INDEX/);
    assert.match(
      pipRemedy("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"),
      /cause that pip names/,
    );
  });
});

describe("buildGoBinary", () => {
  it("builds with the given Go, and leaves the binary alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "store-go-"));
    try {
      const [go, output] = [join(folder, "go"), join(folder, "linter")];
      const stub = `#!/bin/bash
while [ "$1" != -o ]; do shift; done
echo "$3 without cgo: $CGO_ENABLED" > "$2"
`;
      writeFileSync(go, stub, { mode: 0o755 });
      await buildGoBinary({ title: "x", module: folder, package: "example/x", output, go });
      assert.equal(readFileSync(output, "utf8"), "example/x without cgo: 0\n");
      assert.deepEqual(readdirSync(folder), ["go", "linter"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

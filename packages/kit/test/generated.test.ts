import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./support/index.ts";

describe("generated files", () => {
  const check = (script: string) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", `scripts/${script}.ts`, "--check"],
      { cwd: join(repositoryRoot, "packages/kit"), encoding: "utf8" },
    );
    assert.equal(status, 0, stdout + stderr);
  };

  it("image locks are what the repository's lock says", () => check("lock"));

  it("an image gets the versions that the repository has", () => {
    interface Lock {
      readonly packages: Record<string, { readonly version?: string }>;
    }
    const read = (path: string) =>
      JSON.parse(readFileSync(join(repositoryRoot, path), "utf8")) as Lock;
    const root = read("package-lock.json").packages;
    const image = Object.entries(read("packages/kit/package-lock.json").packages);
    assert.ok(image.length > 50);
    for (const [path, { version }] of image) {
      if (path === "") continue;
      const here = root[`packages/kit/${path}`] ?? root[path];
      assert.equal(version, here?.version, path);
    }
  });
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerConfigFolder } from "@store/cli/engine/dockerConfig";

describe("dockerConfigFolder", () => {
  let root = "";
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const folder = (env: NodeJS.ProcessEnv = {}) =>
    dockerConfigFolder(join(root, ".store"), env, root);

  it("is the user's own folder if that has a configuration", () => {
    mkdirSync(join(root, ".docker"));
    writeFileSync(join(root, ".docker/config.json"), "{}");
    assert.equal(folder(), join(root, ".docker"));
    assert.equal(folder({ DOCKER_CONFIG: join(root, ".docker") }), join(root, ".docker"));
  });

  it("is an empty configuration with the user's plugins otherwise", () => {
    mkdirSync(join(root, ".docker/cli-plugins/x"), { recursive: true });
    assert.equal(folder(), join(root, ".store/docker-config"));
    assert.equal(folder(), join(root, ".store/docker-config"));
    assert.equal(readFileSync(join(folder(), "config.json"), "utf8"), "{}");
    assert.ok(existsSync(join(folder(), "cli-plugins/x")));
    assert.ok(!existsSync(join(root, ".docker/config.json")), "the user's folder was changed");
  });
});

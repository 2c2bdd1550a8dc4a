import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { inputHash, PROGRAM_INPUTS, RunInputs, UpToDate } from "@store/cli/state/upToDate";

describe("inputHash", () => {
  let root = "";
  let session: Session;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const runInputs = (changes: object = {}): RunInputs => ({
    checkpoint: join(root, ".store/state.json"),
    engine: "/engine",
    dockerHost: "unix:///docker.sock",
    ...changes,
  });
  const currentHash = (changes: object = {}, env: NodeJS.ProcessEnv = {}): string =>
    inputHash(session, runInputs(changes), env);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "store-test-"));
    for (const path of [
      "index.ts",
      "runtime/main.cjs",
      "Pulumi.yaml",
      "Pulumi.dev.yaml",
      "package-lock.json",
      "components/store.ts",
      "services/orders/src/main.ts",
      "packages/kit/src/index.ts",
      "packages/cli/main.ts",
      "README.md",
      "test/unit/some.test.ts",
      "services/orders/node_modules/x/index.js",
      ".store/state.json",
    ]) {
      write(path, path);
    }
    const project = { root, name: "store", defaults: {} };
    session = {
      project,
      stack: { name: "dev", file: join(root, "Pulumi.dev.yaml") },
      state: {
        project,
        folder: join(root, ".store"),
        backend: { kind: "workspace", url: "file://", folder: root },
      },
    };
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("stays the same without changes", () => {
    assert.equal(currentHash(), currentHash());
  });

  for (const path of [
    "index.ts",
    "runtime/main.cjs",
    "Pulumi.yaml",
    "Pulumi.dev.yaml",
    "package-lock.json",
    "components/store.ts",
    "services/orders/src/main.ts",
    "packages/kit/src/index.ts",
    ".store/state.json",
  ]) {
    it(`changes with ${path}`, () => {
      const before = currentHash();
      write(path, "changed");
      assert.notEqual(currentHash(), before);
    });
  }

  it("changes with a new file and with a file's executable bit", () => {
    const before = currentHash();
    write("services/reviews/service.ts", "");
    const added = currentHash();
    rmSync(join(root, "services/reviews"), { recursive: true });
    chmodSync(join(root, "services/orders/src/main.ts"), 0o755);
    assert.equal(new Set([before, added, currentHash()]).size, 3);
  });

  it("changes with the engine, the Docker host and their environment variables", () => {
    assert.notEqual(currentHash({ engine: "/other" }), currentHash());
    assert.notEqual(currentHash({ dockerHost: "tcp://other:2375" }), currentHash());
    assert.notEqual(currentHash({}, { PULUMI_CONFIG_PASSPHRASE: "x" }), currentHash());
    assert.equal(currentHash({}, { HOME: "/home/x" }), currentHash());
  });

  it("ignores documents, tests, the CLI and installed packages", () => {
    const before = currentHash();
    write("README.md", "changed");
    write("packages/cli/main.ts", "changed");
    write("test/unit/some.test.ts", "changed");
    write("services/orders/node_modules/x/index.js", "changed");
    assert.equal(currentHash(), before);
  });

  it("includes only paths of this project", () => {
    const missing = PROGRAM_INPUTS.filter((path) => !existsSync(join(ROOT, path)));
    assert.deepEqual(missing, []);
  });

  it("is saved by UpToDate for the next up", () => {
    const last = new UpToDate(session);
    assert.equal(last.matches(currentHash()), false);
    last.save(currentHash());
    assert.equal(new UpToDate(session).matches(currentHash()), true);
    write("index.ts", "changed");
    assert.equal(last.matches(currentHash()), false);
  });
});

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Session } from "@store/cli/project/session";
import { inputHash, UpToDate } from "@store/cli/state/upToDate";

describe("what an up depends on", () => {
  let root = "";
  let session: Session;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const what = (over: object = {}): Parameters<typeof inputHash>[1] => ({
    record: join(root, ".store/record.json"),
    engine: "/engine",
    dockerHost: "unix:///docker.sock",
    ...over,
  });
  const now = (over: object = {}, env: NodeJS.ProcessEnv = {}): string =>
    inputHash(session, what(over), env);

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
      "README.md",
      "test/unit/some.test.ts",
      "services/orders/node_modules/x/index.js",
      ".store/record.json",
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
        backend: { kind: "checkout", url: "file://", folder: root },
      },
    };
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("is the same when nothing is another", () => {
    assert.equal(now(), now());
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
    ".store/record.json",
  ]) {
    it(`is another when ${path} is`, () => {
      const before = now();
      write(path, "changed");
      assert.notEqual(now(), before);
    });
  }

  it("is another for a new service, a file that was moved and one that may be executed now", () => {
    const before = now();
    write("services/reviews/service.ts", "");
    const added = now();
    rmSync(join(root, "services/reviews"), { recursive: true });
    chmodSync(join(root, "services/orders/src/main.ts"), 0o755);
    assert.equal(new Set([before, added, now()]).size, 3);
  });

  it("is another with another engine, daemon or environment of theirs", () => {
    assert.notEqual(now({ engine: "/other" }), now());
    assert.notEqual(now({ dockerHost: "tcp://other:2375" }), now());
    assert.notEqual(now({}, { PULUMI_CONFIG_PASSPHRASE: "x" }), now());
    assert.equal(now({}, { HOME: "/home/x" }), now());
  });

  it("isn't touched by documents, tests and installed packages", () => {
    const before = now();
    write("README.md", "changed");
    write("test/unit/some.test.ts", "changed");
    write("services/orders/node_modules/x/index.js", "changed");
    assert.equal(now(), before);
  });

  it("is kept for the next time", () => {
    const last = new UpToDate(session);
    assert.equal(last.matches(now()), false);
    last.save(now());
    assert.equal(new UpToDate(session).matches(now()), true);
    write("index.ts", "changed");
    assert.equal(last.matches(now()), false);
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ROOT } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { inputHash, PROGRAM_INPUTS, RunInputs, UpToDate } from "@store/cli/state/upToDate";

/** Files whose content decides what an `up` does. */
const SOURCES = [
  "index.ts",
  "runtime/main.cjs",
  "Pulumi.yaml",
  "Pulumi.dev.yaml",
  "package-lock.json",
  "components/store.ts",
  "services/orders/src/main.ts",
  "packages/kit/src/index.ts",
  "policy/config.json",
  "policy/rules/containers.ts",
];

describe("inputHash", () => {
  let root = "";
  let session: Session;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const runInputs = (changes: object = {}): RunInputs => ({
    engine: "/engine",
    dockerHost: "unix:///docker.sock",
    ...changes,
  });
  const currentHash = (changes: object = {}, env: NodeJS.ProcessEnv = {}): string =>
    inputHash(session, runInputs(changes), env);
  /** Starts an `up`. */
  const upToDate = (): UpToDate =>
    new UpToDate(session, join(root, ".store/state.json"), runInputs(), {});

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "store-test-"));
    for (const path of [
      ...SOURCES,
      "packages/cli/main.ts",
      "README.md",
      "test/unit/some.test.ts",
      "services/orders/node_modules/x/index.js",
      ".store/state.json",
    ]) {
      write(path, `# ${path}`);
    }
    const project = { root, name: "store", defaults: {}, keys: [], structuredKeys: [] };
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

  for (const key of ["certificate", "acmeRoot"]) {
    it(`changes with the file that store:${key} names, inside or outside of the project`, () => {
      const outside = mkdtempSync(join(tmpdir(), "store-test-"));
      try {
        for (const file of ["shop.pem", join(outside, "shop.pem")]) {
          write("Pulumi.dev.yaml", `config:\n  store:${key}: ${file}\n`);
          const missing = currentHash();
          const path = resolve(root, file);
          writeFileSync(path, "first");
          const first = currentHash();
          writeFileSync(path, "renewed");
          assert.equal(new Set([missing, first, currentHash()]).size, 3, file);
        }
      } finally {
        rmSync(outside, { recursive: true });
      }
    });
  }

  it("leaves a certificate that is neither PEM nor a path to the program, which reports it", () => {
    write("Pulumi.dev.yaml", `config:\n  store:certificate: ${"MIIB".repeat(500)}\n`);
    assert.equal(currentHash(), currentHash());
  });

  it("stays the same without changes", () => {
    assert.equal(currentHash(), currentHash());
  });

  for (const path of SOURCES) {
    it(`changes with ${path}`, () => {
      const before = currentHash();
      write(path, "# changed");
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

  it("changes with a file of a service whose folder is a symbolic link", () => {
    write("elsewhere/main.ts", "before");
    symlinkSync(join(root, "elsewhere"), join(root, "services/linked"));
    const before = currentHash();
    write("elsewhere/main.ts", "after");
    assert.notEqual(currentHash(), before);
  });

  it("changes with packages that lie in a service's folder", () => {
    const before = currentHash();
    write("services/orders/node_modules/x/index.js", "vendored in another version");
    assert.notEqual(currentHash(), before);
  });

  it("changes with the folder of an image that the last up used", () => {
    write("images/base/Dockerfile", "FROM scratch");
    write(".store/contexts/dev/images-base-image/tag", "0123456789abcdef\nimages/base\n");
    const before = currentHash();
    write("images/base/Dockerfile", "FROM other");
    assert.notEqual(currentHash(), before);
  });

  it("doesn't wait for a named pipe", () => {
    execFileSync("mkfifo", [join(root, "services/orders/.env")]);
    assert.equal(currentHash(), currentHash());
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
    write("packages/kit/node_modules/x/index.js", "changed");
    assert.equal(currentHash(), before);
  });

  it("includes only paths of this project", () => {
    const missing = PROGRAM_INPUTS.filter((path) => !existsSync(join(ROOT, path)));
    assert.deepEqual(missing, []);
  });

  it("is saved by UpToDate for the next up", () => {
    assert.equal(upToDate().matches(), false);
    upToDate().save([]);
    assert.equal(upToDate().matches(), true);
    write("index.ts", "changed");
    assert.equal(upToDate().matches(), false);
  });

  it("is saved together with the state that the run leaves", () => {
    const run = upToDate();
    write(".store/state.json", "deployed");
    run.save([]);
    assert.equal(upToDate().matches(), true);
    write(".store/state.json", "changed by another command");
    assert.equal(upToDate().matches(), false);
  });

  it("is saved without edits during the run, which the program may not have read", () => {
    for (const path of ["services/orders/src/main.ts", "components/store.ts", "Pulumi.dev.yaml"]) {
      const run = upToDate();
      write(path, "# edited while the engine runs");
      run.save([]);
      assert.equal(upToDate().matches(), false, path);
    }
  });

  it("isn't saved after a run with engine options, which removes an older record, too", () => {
    for (const options of [["--target", "urn:pulumi:dev::store::x"], ["--exclude=urn"]]) {
      upToDate().save(options);
      assert.equal(upToDate().matches(), false);
      upToDate().save([]);
      upToDate().save(options);
      assert.equal(upToDate().matches(), false);
    }
  });

  it("doesn't match before there is a state", () => {
    rmSync(join(root, ".store/state.json"));
    assert.equal(upToDate().matches(), false);
  });
});

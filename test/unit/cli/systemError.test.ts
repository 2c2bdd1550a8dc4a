import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { systemError } from "@store/cli/diagnostics/systemError";
import { renderError } from "@store/cli/terminal/terminal";

const ROOT = join(__dirname, "../../..");

describe("errors of the operating system", () => {
  const failure = (code: string, syscall: string, path?: string): Error =>
    Object.assign(new Error(`${code}: a problem, ${syscall}`), { code, syscall, path });
  const shown = (error: Error, env: NodeJS.ProcessEnv = { STORE_STATE_DIR: "/data" }): string => {
    const found = systemError(error, env);
    return found ? renderError(found) : "";
  };

  it("of a full disk name the file, or the folders to which the CLI writes", () => {
    assert.match(
      shown(failure("ENOSPC", "open", "/data/run/1/a")),
      /ENOSPC.*no space is left on the disk of \/data\/run\/1\/a\.\s+Free space there \(df -h \/data\/run\/1\)/,
    );
    assert.match(shown(failure("ENOSPC", "write")), /disk of \/data \(the state\), or of .*df -h/s);
    assert.match(shown(failure("EDQUOT", "write")), /quota/);
  });

  it("of a folder that can't be written offer another state folder if it is the state's", () => {
    const readOnly = shown(failure("EROFS", "mkdtemp", "/data/run/1-XXXXXX"));
    assert.match(
      readOnly,
      /Can't use \/data\/run\/1-XXXXXX \(EROFS\): its file system is read-only/,
    );
    assert.match(readOnly, /Make \/data writable for this user, or set STORE_STATE_DIR/);
    const inCheckout = shown(failure("EROFS", "mkdtemp", join(ROOT, ".store/run/1")), {});
    assert.match(inCheckout, /set STORE_STATE_DIR/);
    // Node's recursive mkdir on a read-only file system.
    const folder = shown(failure("ENOENT", "mkdir", join(ROOT, ".store-none")), {});
    assert.match(folder, /its file system is read-only/);
    assert.equal(shown(failure("ENOENT", "mkdir", "/no/such/folder")), "");
    const elsewhere = shown(failure("EACCES", "open", "/data2/Pulumi.dev.yaml"));
    assert.match(elsewhere, /EACCES.*may not access it\.\s+Make \/data2 writable/);
    assert.doesNotMatch(elsewhere, /STORE_STATE_DIR/);
  });

  it("of other kinds are left as they are", () => {
    for (const error of [
      failure("ENOSPC", "watch", "/src"),
      failure("EACCES", "spawn docker", "docker"),
      failure("EACCES", "listen"),
      failure("ENOENT", "open", "/data/a"),
      new Error("a bug"),
    ]) {
      assert.equal(systemError(error), undefined, error.message);
    }
  });

  it("of a deleted current folder say where to go", () => {
    assert.match(shown(failure("ENOENT", "uv_cwd")), /has been deleted\.\s+Change to a folder/);
    const script = 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$0" "$1" --version';
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", script, process.execPath, join(ROOT, "store")],
      {
        encoding: "utf8",
      },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^error: The current folder has been deleted\.\s+Change .*: cd \//);
  });

  it("reach the user as a message, without a stack trace", () => {
    const script = `const error = new Error("EROFS: read-only file system, mkdtemp");
      Object.assign(error, { code: "EROFS", syscall: "mkdtemp", path: "/data/run/1-XXXXXX" });
      require("tsx/cjs");
      require("commander").Command.prototype.parseAsync = () => Promise.reject(error);
      require(process.argv[1]).main(["ps"]).then((code) => { process.exitCode = code; });`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["-e", script, join(ROOT, "packages/cli/main.ts")],
      { encoding: "utf8", cwd: ROOT, timeout: 60_000, env: { ...process.env, NO_COLOR: "1" } },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^error: Can't use \/data\/run\/1-XXXXXX \(EROFS\)/);
    assert.doesNotMatch(stderr, /\n +at /);
  });
});

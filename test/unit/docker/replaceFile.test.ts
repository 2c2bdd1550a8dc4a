import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";

describe("replaceFile", () => {
  let folder = "";
  let file = "";
  let umask = 0;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-replace-"));
    file = join(folder, "file");
    umask = process.umask(0o027);
  });
  afterEach(() => {
    process.umask(umask);
    rmSync(folder, { recursive: true });
  });

  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  it("creates a file with the permissions that the umask allows", () => {
    replaceFile(file, "text");
    assert.equal(readFileSync(file, "utf8"), "text");
    assert.equal(modeOf(file), 0o640);
    assert.deepEqual(readdirSync(folder), ["file"]);
  });

  it("keeps the permissions of the existing file", () => {
    writeFileSync(file, "old");
    chmodSync(file, 0o664);
    replaceFile(file, "new");
    assert.equal(readFileSync(file, "utf8"), "new");
    assert.equal(modeOf(file), 0o664);
  });

  it("sets the given permissions, whatever the umask and the existing file have", () => {
    replaceFile(file, "old", { mode: 0o666 });
    assert.equal(modeOf(file), 0o666);
    replaceFile(file, "new", { mode: 0o600 });
    assert.equal(modeOf(file), 0o600);
  });

  it("leaves the old content to a process that has opened the file", () => {
    replaceFile(file, "old");
    const reader = openSync(file, "r");
    replaceFile(file, "new");
    assert.equal(readFileSync(reader, "utf8"), "old");
    closeSync(reader);
  });

  it("leaves the old file if the new one can't be written", () => {
    // The name of the draft is longer than file systems allow.
    const long = join(folder, "f".repeat(250));
    writeFileSync(long, "old");
    assert.throws(() => replaceFile(long, "new"), { code: "ENAMETOOLONG" });
    assert.equal(readFileSync(long, "utf8"), "old");
  });

  it("leaves no draft if the old file can't be replaced", () => {
    mkdirSync(join(file, "inner"), { recursive: true });
    assert.throws(() => replaceFile(file, "new"), { syscall: "rename" });
    assert.deepEqual(readdirSync(folder), ["file"]);
    assert.deepEqual(readdirSync(file), ["inner"]);
  });
});

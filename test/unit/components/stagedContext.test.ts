import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contentTag, TaggedFiles } from "../../../components/image/contentTag";
import { StagedContext } from "../../../components/image/context/stagedContext";

describe("StagedContext", () => {
  let root = "";
  let content: TaggedFiles;
  const write = (path: string, text = ""): void => {
    mkdirSync(dirname(join(root, "app", path)), { recursive: true });
    writeFileSync(join(root, "app", path), text);
  };
  const stage = (tag = contentTag(content)): StagedContext => {
    const staged = new StagedContext(join(root, "copy"), content, tag);
    staged.write();
    return staged;
  };
  const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "store-test-"));
    content = { context: join(root, "app"), dockerfile: "Dockerfile", args: {} };
    write("Dockerfile", "FROM scratch\n");
    write(".dockerignore", "Dockerfile\n*.md\n");
    write("README.md");
    write("src/main.js", "main()");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("has the files that the tag counts, and a Dockerfile beside them", () => {
    mkdirSync(join(root, "app/src/empty"));
    symlinkSync("main.js", join(root, "app/src/link.js"));
    const { context, dockerfile } = stage();
    assert.deepEqual(readdirSync(context, { recursive: true }).sort(), [
      ".dockerignore",
      "src",
      "src/empty",
      "src/link.js",
      "src/main.js",
    ]);
    assert.equal(readlinkSync(join(context, "src/link.js")), "main.js");
    assert.equal(readFileSync(join(context, dockerfile), "utf8"), "FROM scratch\n");
    assert.ok(existsSync(join(context, `${dockerfile}.dockerignore`)));
  });

  it("has permissions that don't depend on the umask, neither of the clone nor of the run", () => {
    write("bin/run", "#!/bin/sh");
    chmodSync(join(root, "app/src/main.js"), 0o600);
    chmodSync(join(root, "app/src"), 0o700);
    chmodSync(join(root, "app/bin/run"), 0o700);
    const umask = process.umask(0o077);
    try {
      const { context } = stage();
      assert.equal(modeOf(context), 0o755);
      assert.equal(modeOf(join(context, "src")), 0o755);
      assert.equal(modeOf(join(context, "src/main.js")), 0o644);
      assert.equal(modeOf(join(context, "bin/run")), 0o755);
    } finally {
      process.umask(umask);
    }
  });

  it("leaves out named pipes and sockets without reading them", () => {
    const before = contentTag(content);
    execFileSync("mkfifo", [join(root, "app/.env"), join(root, "app/src/pipe")]);
    assert.equal(contentTag(content), before);
    assert.ok(!existsSync(join(stage().context, "src/pipe")));
  });

  it("reads nothing that .dockerignore excludes", () => {
    write(".dockerignore", "secret\n");
    write("secret/key");
    symlinkSync("loop", join(root, "app/secret/loop"));
    const { context } = stage();
    assert.ok(!existsSync(join(context, "secret")));
  });

  it("rejects a Dockerfile that is a named pipe", () => {
    rmSync(join(root, "app/Dockerfile"));
    execFileSync("mkfifo", [join(root, "app/Dockerfile")]);
    assert.throws(() => contentTag(content), /Dockerfile.*can't be read: it isn't a regular file/);
  });

  it("names the file that can't be read", () => {
    rmSync(join(root, "app/Dockerfile"));
    symlinkSync("Dockerfile", join(root, "app/Dockerfile"));
    assert.throws(() => contentTag(content), /app\/Dockerfile, part of an image, can't be read/);
  });

  it("copies a context whose folder is a symbolic link", () => {
    symlinkSync("app", join(root, "linked"));
    const tag = contentTag(content);
    content = { ...content, context: join(root, "linked") };
    assert.equal(contentTag(content), tag);
    assert.ok(existsSync(join(stage().context, "src/main.js")));
  });

  it("rejects content that has changed since the tag was computed", () => {
    const tag = contentTag(content);
    write("src/main.js", "changed()");
    assert.throws(() => stage(tag), /were changed during the run/);
    assert.ok(stage(), "the next run must succeed");
  });

  it("says which folder can't be written", () => {
    writeFileSync(join(root, "file"), "");
    const staged = new StagedContext(join(root, "file/copy"), content, contentTag(content));
    assert.throws(() => {
      staged.write();
    }, /file\/copy can't be written: /);
  });

  it("records the original folder, by which the next up is skipped or not", () => {
    stage();
    const { context } = content;
    const recorded = `${contentTag(content)}\n${context}\n`;
    assert.equal(readFileSync(join(root, "copy/tag"), "utf8"), recorded);
  });

  it("replaces the copy of other content", () => {
    stage();
    rmSync(join(root, "app/src/main.js"));
    write("src/other.js");
    assert.deepEqual(readdirSync(join(stage().context, "src")), ["other.js"]);
  });
});

import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contentTag } from "../../../components/image/contentTag";
import { contextEntries } from "../../../components/image/context/contextEntries";

describe("contentTag", () => {
  let folder: string;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const tag = (args: Record<string, string> = {}, context = folder, except?: string[]): string =>
    contentTag({ context, dockerfile: "Dockerfile", args, except });
  const files = (): string[] => contextEntries(folder, "Dockerfile").map(({ path }) => path);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "content-tag-"));
    write("Dockerfile", "FROM scratch\nCOPY src /src\n");
    write(".dockerignore", "*\n!src\n");
    write("src/main.js", "main()");
    write("src/lib/a.js", "a()");
    write("test/main.test.js", "test()");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("changes with every part of the image's content", () => {
    const seen = new Set([tag()]);
    const expectNew = (what: string): void => {
      const now = tag();
      assert.ok(!seen.has(now), `${what} must change the tag`);
      seen.add(now);
    };
    write("src/main.js", "main(1)");
    expectNew("a file's content");
    write("src/new.js", "");
    expectNew("a new file");
    rmSync(join(folder, "src/lib/a.js"));
    expectNew("a file removed");
    write("Dockerfile", "FROM scratch\nCOPY src /app\n");
    expectNew("the Dockerfile");
    chmodSync(join(folder, "src/main.js"), 0o755);
    expectNew("the executable bit");
    symlinkSync("main.js", join(folder, "src/link.js"));
    expectNew("a link");
    assert.ok(
      !seen.has(tag({ NODE_IMAGE: "node:26.10.0" })),
      "a build argument must change the tag",
    );
  });

  it("changes with nothing else", () => {
    const before = tag();
    write("test/main.test.js", "other()");
    write("README.md", "what it is");
    write("node_modules/x/index.js", "");
    chmodSync(join(folder, "src/main.js"), 0o600);
    utimesSync(join(folder, "src/main.js"), 1, 1);
    assert.equal(tag(), before);
  });

  it("is the same in another folder and for another order of the arguments", () => {
    const copy = mkdtempSync(join(tmpdir(), "content-tag-copy-"));
    try {
      cpSync(folder, copy, { recursive: true });
      assert.equal(tag({ A: "1", B: "2" }, copy), tag({ B: "2", A: "1" }));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  it("changes when content moves from one file to another", () => {
    write("src/a", "xy");
    write("src/b", "");
    const before = tag();
    write("src/a", "x");
    write("src/b", "y");
    assert.notEqual(tag(), before);
  });

  it("ignores folders over which sources are mounted", () => {
    const before = tag({}, folder, ["src"]);
    write("src/main.js", "changed()");
    assert.equal(tag({}, folder, ["src"]), before);
    assert.notEqual(tag(), before);
  });

  it("applies .dockerignore as Docker does", () => {
    write(".dockerignore", "# comment\n**/*.log\nbuild\n!build/keep/**\n/src/lib\n");
    write("build/drop.js", "");
    write("build/keep/this.js", "");
    write("deep/er/x.log", "");
    write("deep/er/x.js", "");
    assert.deepEqual(files(), [
      ".dockerignore",
      "Dockerfile",
      "build/keep/this.js",
      "deep/er/x.js",
      "src/main.js",
      "test/main.test.js",
    ]);
  });

  it("prefers the ignore file beside the Dockerfile", () => {
    write("Dockerfile.dockerignore", "*\n!test\n");
    assert.deepEqual(files(), ["test/main.test.js"]);
  });
});

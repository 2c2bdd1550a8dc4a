import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { copyWorkspace, environmentOf } from "../support/workspace";
import { run } from "../support/run";

const REPOSITORY = resolve(__dirname, "../..");

describe("./store new", () => {
  let folder: string;
  const store = (...args: string[]) => run("./store", args, folder, environmentOf(folder));
  const read = (file: string) => readFileSync(join(folder, file), "utf8");

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-new-"));
    await copyWorkspace(REPOSITORY, folder);
    // The copy has links to the packages at the root only.
    const packages = "packages/kit/node_modules";
    if (existsSync(join(REPOSITORY, packages)))
      symlinkSync(join(REPOSITORY, packages), join(folder, packages));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("creates a Node service whose tests pass with a real PostgreSQL", async () => {
    const created = await store("new", "gift-cards", "--no-install");
    assert.equal(created.code, 0, created.output);
    const mocha = join(REPOSITORY, "node_modules/mocha/bin/mocha.js");
    const tests = "services/gift-cards/test/**/*.test.ts";
    const { code, output } = await run(process.execPath, [mocha, tests], folder);
    assert.equal(code, 0, output);
    assert.match(output, /2 passing/);
  });

  it("creates services in Go and Python with the routes that their specs name", async () => {
    for (const lang of ["go", "python"]) {
      const created = await store("new", `a-${lang}`, "--lang", lang);
      assert.equal(created.code, 0, created.output);
      assert.match(read(`services/a-${lang}/service.ts`), new RegExp(`"/api/a-${lang}"`));
      assert.ok(existsSync(join(folder, `services/a-${lang}/.dockerignore`)));
      for (const file of filesIn(`services/a-${lang}`)) {
        assert.doesNotMatch(read(file), /example-service/, file);
      }
    }
  });

  it("refuses a name that is taken, invalid or reserved, and changes nothing", async () => {
    const before = filesIn("services").map((file) => [file, read(file)]);
    for (const [name, message] of [
      ["orders", /services\/orders exists already\. Nothing was changed/],
      ["gift-cards", /exists already/],
      ["gateway", /"gateway" can't be a service's name/],
      ["Gifts", /"Gifts" can't be a service's name/],
      ["../outside", /can't be a service's name/],
    ] as const) {
      const { code, output } = await store("new", name);
      assert.equal(code, 2, output);
      assert.match(output, message);
    }
    const unknown = await store("new", "gifts", "--lang", "cobol");
    assert.equal(unknown.code, 2);
    assert.match(unknown.output, /Allowed choices are node, go, python/);
    assert.deepEqual(
      filesIn("services").map((file) => [file, read(file)]),
      before,
    );
  });

  function filesIn(path: string): string[] {
    return readdirSync(join(folder, path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
  }
});

/** The templates' own tests, where the language is installed; the images of Go and Python can't be pulled without a registry. */
describe("the templates of ./store new", () => {
  for (const [language, program, ...args] of [
    ["Go", "go", "test", "./..."],
    ["Python", "python3", "-m", "unittest"],
  ] as const) {
    it(`has tests in ${language} that pass`, async function () {
      const installed = await run(program, [program === "go" ? "version" : "--version"]).catch(
        () => undefined,
      );
      if (installed?.code !== 0) this.skip();
      const template = join(REPOSITORY, "packages/cli/templates", language.toLowerCase());
      const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", GOFLAGS: "-mod=mod" };
      const { code, output } = await run(program, args, template, env);
      assert.equal(code, 0, output);
    });
  }
});

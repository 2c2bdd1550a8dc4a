import { strict as assert } from "node:assert";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isPidAlive } from "@store/toolchain/system/processIdentity";

const REPOSITORY = resolve(__dirname, "../..");

describe("runtime/main.cjs", () => {
  const afterMain = (script: string): string =>
    execFileSync(
      process.execPath,
      ["--eval", `const program = require("./runtime/main.cjs");\n${script}`],
      { cwd: REPOSITORY, encoding: "utf8" },
    ).trim();

  it("loads neither TypeScript nor npm's resolver", () => {
    const loaded = afterMain(`
      const names = ["node_modules/typescript/lib/typescript.js", "@npmcli/arborist/lib/index.js"];
      const loaded = names.filter((name) => Object.values(require.cache).some((m) => m?.filename?.endsWith(name)));
      console.log(typeof program, JSON.stringify(loaded));`);
    assert.equal(loaded, "function []");
  });

  // util.inspect hangs on lines such as node_modules/@pulumi/resource.ts, which the SDK's own source maps produce
  // (https://github.com/nodejs/node/issues/64011).
  it("maps stack traces of the program's sources, and not those of the SDK", () => {
    const [sdkBefore, sdk, ours] = execFileSync(
      process.execPath,
      [
        "--eval",
        `// Pulumi's own start registers source maps, too, and reads those of the SDK before the program is loaded.
        require("source-map-support/register");
        const { Config } = require("@pulumi/pulumi");
        const trace = (action) => { try { action(); } catch (error) { return error.stack.replaceAll("\\n", " "); } };
        console.log(trace(() => new Config("store").require("missing")));
        const program = require("./runtime/main.cjs");
        console.log(trace(() => new Config("store").require("missing")));
        console.log(trace(program));`,
      ],
      {
        cwd: REPOSITORY,
        encoding: "utf8",
        env: { ...process.env, PULUMI_CONFIG: '{"store:services": "[\\"inventori\\"]"}' },
      },
    ).split("\n");
    assert.match(
      sdkBefore ?? "",
      /@pulumi\/config\.ts:/,
      "the SDK's own source maps are not in use, so this test proves nothing",
    );
    assert.match(sdk ?? "", /node_modules\/@pulumi\/pulumi\/config\.js:/);
    assert.match(ours ?? "", /\/(config|services)\.ts:\d+/);
  });

  it("leaves the SDK able to serialize a function, which needs both", () => {
    const text = afterMain(`
      const { runtime } = require("@pulumi/pulumi");
      const name = "world";
      runtime.serializeFunction(() => "hello " + name).then(({ text }) => console.log(text.includes('name: "world"')));
    `);
    assert.equal(text, "true");
  });
});

describe("endWithParent", () => {
  /** Starts a process, kills its parent once the process has printed a line, and checks that the process ends. */
  const endsWithItsParent = async (...command: string[]): Promise<void> => {
    const parent = spawn("bash", ["-c", '"$@" & echo $!; wait', "bash", ...command], {
      cwd: REPOSITORY,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    parent.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const lines = (): string[] => output.split("\n").slice(0, -1);
    for (let i = 0; lines().length < 2 && i < 300; i++) await sleep(100);
    const pid = Number(lines()[0]);
    try {
      assert.equal(lines().length, 2, `no line was printed: ${output}`);
      parent.kill("SIGKILL");
      for (let i = 0; isPidAlive(pid) && i < 100; i++) await sleep(100);
      assert.equal(isPidAlive(pid), false, "the process still runs 10 s after its parent");
    } finally {
      parent.kill("SIGKILL");
      if (isPidAlive(pid)) process.kill(pid, "SIGKILL");
    }
  };

  it("ends a program whose language host is gone, even in an endless loop", () =>
    endsWithItsParent(
      process.execPath,
      "--eval",
      'require("./runtime/main.cjs"); console.log("busy"); for (;;);',
    ));

  it("ends a policy pack whose engine is gone", () =>
    endsWithItsParent("policy/serve", "127.0.0.1:1"));
});

describe("runtimeOptions.cjs, preloaded under an engine of the toolchain", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "runtime-options-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const typescriptOption = (
    project: string | undefined,
    script = "@pulumi/pulumi/cmd/run/index.js",
  ): string => {
    const file = join(folder, "node_modules", script);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "console.log(process.env.PULUMI_NODEJS_TYPESCRIPT)");
    rmSync(join(folder, "Pulumi.yaml"), { force: true });
    if (project !== undefined) writeFileSync(join(folder, "Pulumi.yaml"), project);
    return execFileSync(
      process.execPath,
      ["--require", join(REPOSITORY, "packages/toolchain/engine/runtimeOptions.cjs"), file],
      { cwd: folder, encoding: "utf8", env: { ...process.env, PULUMI_NODEJS_TYPESCRIPT: "true" } },
    ).trim();
  };
  const without = "name: a\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n";

  it("turns TypeScript off for a project with typescript: false", () =>
    assert.equal(typescriptOption(without), "false"));
  it("leaves TypeScript on for other projects", () => {
    assert.equal(typescriptOption("name: a\nruntime: nodejs\n"), "true");
    assert.equal(typescriptOption(undefined), "true");
  });
  it("doesn't affect other Node programs", () => {
    assert.equal(typescriptOption(without, "other/index.js"), "true");
  });
});

describe("./store in a fresh checkout", () => {
  it("installs the packages without running their scripts", () => {
    const folder = mkdtempSync(join(tmpdir(), "store-fresh-"));
    try {
      for (const file of ["store", "package.json", "package-lock.json"])
        cpSync(join(REPOSITORY, file), join(folder, file));
      const npm = `#!/bin/sh\necho "$@" >>${folder}/npm\nexit 1\n`;
      mkdirSync(join(folder, "bin"));
      writeFileSync(join(folder, "bin/npm"), npm, { mode: 0o755 });
      const path = `${join(folder, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`;
      spawnSync(join(folder, "store"), ["ls"], { env: { ...process.env, PATH: path } });
      assert.match(readFileSync(join(folder, "npm"), "utf8"), /^ci .*--ignore-scripts/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { plain } from "@store/cli/engine/events";
import { OrderedOutput } from "@store/cli/terminal/orderedOutput";
import { countsOf, tierCounts, summary } from "@store/cli/testing/mocha";
import { configValue, findStack, parseProject } from "@store/cli/project/project";
import { Column, duration, table } from "@store/cli/terminal/terminal";
import { COMMANDS } from "@store/cli/main";

const ROOT = join(__dirname, "../../..");
const STORE = join(ROOT, "store");

describe("./store", () => {
  const store = (...args: string[]) =>
    spawnSync(STORE, args, { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });

  it("lists every command, without loading Pulumi, PGlite or the services' specs", () => {
    const script = `require("tsx/cjs");
      require(process.argv[1]).main(["--help"]).then(() =>
        process.stderr.write(Object.keys(require.cache).join("\\n")));`;
    const main = join(ROOT, "packages/cli/main.ts");
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script, main], {
      encoding: "utf8",
      cwd: ROOT,
    });
    for (const name of Object.keys(COMMANDS)) {
      assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    }
    assert.match(stderr, /commands\/deploy\/up/);
    assert.doesNotMatch(stderr, /@pulumi\/pulumi|pglite|\/services\/|\/execa\/|\/zod\//);
  });

  it("prints a command's flags, examples and exit codes with --help", () => {
    const help = store("down", "--help");
    assert.equal(help.status, 0);
    assert.match(help.stdout, /--volumes.*Examples:.*Exit codes: 0 done, 1 failed, 2 wrong usage/s);
    assert.match(store("help", "pulumi").stdout, /config set httpPort/);
  });

  it("registers each command under its own name, with a summary and examples", () => {
    for (const [name, load] of Object.entries(COMMANDS)) {
      const command = load();
      assert.equal(command.name, name);
      assert.notEqual(command.summary, "", name);
      assert.ok(command.examples.length > 0, name);
      if (!("subcommands" in command)) continue;
      for (const [sub, loadSub] of Object.entries(command.subcommands)) {
        assert.equal(loadSub().name, sub);
        assert.ok(loadSub().examples.length > 0, sub);
      }
    }
  });

  it("rejects wrong usage with exit code 2 and without a stack trace", () => {
    for (const args of [
      ["upp"],
      ["up", "--nonsense"],
      ["up", "no-such-stack"],
      ["up", "dev", "-s", "staging"],
      ["up", "../x"],
      ["up", "x", "--config-file", "/nowhere.yaml"],
      ["down"],
      ["logs", "--tail", "many"],
      ["ps", "--config-file", tmpdir()],
      ["services", "--port", "70000"],
      ["rehearse", "--pace", "slow"],
      ["rehearse", "--host", "nowhere"],
      ["ps", "-s", "no-such-stack"],
      ["exec", "orders"],
      ["test", "everything"],
      ["pulumi", "--cwd", "services", "config"],
      ["token", "add"],
      ["token", "add", "Ana Silva"],
      ["token", "remove"],
      ["token", "list", "dev", "-s", "staging"],
      ["token", "no-such-stack"],
      ["ci", "publish"],
      ["ci", "preview", "dev"],
      ["ci", "preview", "no-such-stack", "--output", "/dev/null"],
      ["ci", "environment", "sideways"],
    ]) {
      const { status, stdout, stderr } = store(...args);
      assert.equal(status, 2, `${args.join(" ")}: ${stdout}${stderr}`);
      assert.match(stderr, /^error: /m, args.join(" "));
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  });

  it("repeats --config-file in the commands that its messages name", () => {
    const { stderr } = store("exec", "orders", "-s", "trial", "--config-file", "x/values.yaml");
    assert.match(stderr, /\.\/store exec orders -s trial --config-file x\/values\.yaml -- COMMAND/);
  });

  it("prints the address of the machine whose Docker runs the stack", () => {
    const folder = mkdtempSync(join(tmpdir(), "store-ip-"));
    const env = {
      ...process.env,
      ...{ DOCKER_HOST: "ssh://jane@shop.example.org", STORE_STATE_DIR: folder },
    };
    const { stdout, stderr } = spawnSync(STORE, ["ip"], { encoding: "utf8", env });
    rmSync(folder, { recursive: true });
    assert.equal(stdout, "shop.example.org\n", stderr);
  });

  it("exits silently when its output is closed, as by `head`", () => {
    const script = '"$0" --help | { exec 0<&-; sleep 3; }; exit "${PIPESTATUS[0]}"';
    const { status, stderr } = spawnSync("bash", ["-c", script, STORE], { encoding: "utf8" });
    assert.equal(stderr, "");
    assert.equal(status, 141);
  });

  it("lists the existing stacks when a stack is unknown", () => {
    assert.match(store("up", "no-such-stack").stderr, /dev.*staging/);
  });

  it("prints no colors without a terminal", () => {
    const { stdout, stderr } = spawnSync(STORE, ["upp"], {
      encoding: "utf8",
      env: { ...process.env, CI: "true" },
    });
    assert.equal(stdout + stderr, stripVTControlCharacters(stdout + stderr));
  });
});

describe("project", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "stack-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const project = parseProject(
    "/r",
    `name: store
config:
  store:httpPort: { type: integer, default: 8080 }
  nodeImage: { type: string, default: "node:1.2.3" }
  store:secret: { type: string }
`,
  );

  it("reads the defaults of Pulumi.yaml, with or without the namespace", () => {
    assert.deepEqual(project.defaults, { "store:httpPort": 8080, "store:nodeImage": "node:1.2.3" });
  });

  it("prefers the stack's value to the default", () => {
    const file = join(folder, "Pulumi.any.yaml");
    const value = (text: string, key: string): unknown => {
      writeFileSync(file, text);
      return configValue(project, { file }, key);
    };
    assert.equal(value("config: { store:httpPort: 9000 }", "httpPort"), 9000);
    assert.equal(value("config: { httpPort: 9000 }", "httpPort"), 9000);
    assert.equal(value("config: {}", "httpPort"), 8080);
    assert.equal(value("", "nodeImage"), "node:1.2.3");
    assert.equal(value("config: {}", "secret"), undefined);
  });

  it("rejects invalid YAML and names the file", () => {
    assert.throws(
      () => parseProject("/r", "name: [\n"),
      /^CliError: Pulumi\.yaml is not valid YAML/,
    );
    assert.throws(() => parseProject("/r", "- a\n"), /Pulumi\.yaml must be a mapping/);
  });

  it("reads a stack's values from another file", () => {
    writeFileSync(join(folder, "values.yaml"), "config: {}\n");
    const stack = findStack({ ...project, root: folder }, "any", join(folder, "values.yaml"));
    assert.deepEqual(stack, { name: "any", file: join(folder, "values.yaml") });
    assert.throws(() => findStack({ ...project, root: folder }, "any"), /Unknown stack "any"/);
  });
});

describe("test summary", () => {
  const green = { tier: "unit", passed: 40, failed: 0, pending: 0, failures: [] };
  const red = {
    ...{ tier: "integration", passed: 3, failed: 1, pending: 0 },
    failures: [{ title: "the store › rolls", error: "Error: lost 3\n\n    at x.ts:1" }],
  };

  it("ends with the total over the tiers", () => {
    assert.equal(summary([green]), "40 passed, 0 failed");
    assert.equal(
      summary([green, { ...green, tier: "services", passed: 5 }]),
      "unit      40 passed, 0 failed\nservices  5 passed, 0 failed\n45 passed, 0 failed",
    );
  });

  it("lists failures with their tier and the first and last lines of their error", () => {
    assert.deepEqual(plain(summary([green, red])).split("\n"), [
      "unit         40 passed, 0 failed",
      "integration  3 passed, 1 failed",
      "",
      "failed: integration › the store › rolls",
      "    Error: lost 3",
      "        at x.ts:1",
      "",
      "43 passed, 1 failed",
    ]);
    const error = Array.from({ length: 500 }, (_, i) => `line ${i}`).join("\n");
    const long = plain(summary([{ ...red, failures: [{ title: "long", error }] }]));
    assert.match(
      long,
      /line 5\n {4}… 464 lines left out\n {4}line 470\n[^]* {4}line 499\n\n3 passed, 1 failed$/,
    );
  });

  it("counts a crash, and a run without tests, as a failure", () => {
    const crash = countsOf(undefined, 1);
    assert.equal(crash.failed, 1);
    assert.match(summary([{ tier: "saga", ...crash }]), /saga › .*\n.*exit code 1/);
    const mocha = (passed: number, failed: number, pending: number) =>
      JSON.stringify({ passed, failed, pending, failures: [] });
    assert.equal(countsOf(mocha(5, 0, 0), 7).failed, 1);
    const some = countsOf(mocha(5, 0, 1), 0);
    assert.deepEqual(some, { passed: 5, failed: 0, pending: 1, failures: [] });
    const none = countsOf(mocha(0, 0, 0), 0);
    assert.match(tierCounts([none, none]).failures[0]?.error ?? "", /no test was run/);
    assert.deepEqual(tierCounts([none, some, some]), {
      ...{ passed: 10, failed: 0, pending: 2, failures: [] },
    });
    assert.equal(tierCounts([none, crash, some]).failures.length, 1);
    assert.equal(countsOf(mocha(5, 2, 0), 2).failed, 2);
  });

  /** Runs mocha on a file with the given text. */
  const mochaOn = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), "store-test-"));
    try {
      const [spec, counts] = [join(folder, "spec.cjs"), join(folder, "counts.json")];
      writeFileSync(spec, text);
      const { status, stdout } = spawnSync(
        process.execPath,
        [
          ...[require.resolve("mocha/bin/mocha.js"), "--no-config", spec],
          ...["--reporter", join(__dirname, "../../../packages/cli/testing/mochaReporter.cjs")],
          ...["--reporter-option", `countsFile=${counts}`, "--reporter-option", "graceMs=100"],
        ],
        { encoding: "utf8" },
      );
      return { status, stdout, counts: countsOf(readFileSync(counts, "utf8"), status ?? 0) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it("is written although a test has left something running", () => {
    const left = "after(() => void setInterval(() => undefined, 1000));";
    const red = mochaOn(`${left} it("fails", () => { throw new Error("because"); });`);
    assert.deepEqual([red.status, red.counts.failed], [1, 1]);
    assert.match(red.stdout, /they started is still running/);
    const green = mochaOn(`${left} it("passes", () => undefined);`);
    assert.deepEqual(
      [green.counts.passed, green.counts.failed],
      [1, 1],
      "something left running is a failure",
    );
  });

  it("has the causes of an error, such as what a property-based test found", () => {
    const { counts } = mochaOn(
      `it("fails", () => {
          const first = new Error("stock is lost");
          throw new Error("Property failed", { cause: new Error("round 1", { cause: first }) });
        });`,
    );
    const [failure] = counts.failures;
    assert.match(
      failure?.error ?? "",
      /^Error: Property failed\n[^]*\nCaused by: Error: round 1\n[^]*\nCaused by: Error: stock is lost\n/,
    );
  });

  it("counts the failures of tests and of hooks", () => {
    const { stdout, counts } = mochaOn(
      `describe("outer", () => {
          it("passes", () => {});
          describe("inner", () => { it("fails", () => { throw new Error("because"); }); });
          describe("hook", () => { before(() => { throw new Error("set-up"); }); it("never", () => {}); });
        });`,
    );
    const { failures, ...numbers } = counts;
    assert.deepEqual(numbers, { passed: 1, failed: 2, pending: 0 }, stdout);
    assert.deepEqual(
      failures.map(({ title, error }) => [title, error.split("\n")[0]]),
      [
        ["outer › inner › fails", "Error: because"],
        ['outer › hook › "before all" hook for "never"', "Error: set-up"],
      ],
    );
  });
});

describe("terminal output", () => {
  it("shows concurrent sections one after the other", () => {
    let printed = "";
    const screen = new Writable({
      write(chunk, _encoding, done) {
        printed += String(chunk);
        done();
      },
    });
    const order = new OrderedOutput(screen);
    const [first, second, third] = [order.section(), order.section(), order.section()];
    third.end("3");
    second.write("2");
    first.write("1");
    assert.equal(printed, "1", "the first section appears at once");
    first.end("1");
    assert.equal(printed, "112");
    second.write("2");
    assert.equal(printed, "1122");
    second.end();
    assert.equal(printed, "11223");
  });

  it("aligns the columns of a table", () => {
    const columns: Column<{ name: string; size: number }>[] = [
      { title: "NAME", value: ({ name }) => name },
      { title: "SIZE", value: ({ size }) => String(size), align: "right" },
    ];
    const rows = [
      { name: "inventory-database", size: 5 },
      { name: "gateway", size: 12345 },
    ];
    assert.equal(
      plain(table(rows, columns)),
      "NAME                 SIZE\ninventory-database      5\ngateway             12345",
    );
  });

  it("formats durations with fitting units", () => {
    assert.deepEqual([0, 59, 60, 3600, 3660, 86400, 90000].map(duration), [
      "0 s",
      "59 s",
      "1 min",
      "1 h",
      "1 h 1 min",
      "1 d",
      "1 d 1 h",
    ]);
  });

  it("removes the engine's color codes", () => {
    assert.equal(plain("<{%fg 1%}>error:<{%reset%}> \x1b[31mbad\x1b[0m"), "error: bad");
  });
});

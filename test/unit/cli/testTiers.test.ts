import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { selectTiers } from "../../../packages/cli/commands/develop/test";
import { OrderedOutput } from "../../../packages/cli/terminal/orderedOutput";
import { runMocha } from "../../../packages/cli/testing/mocha";

describe("./store test", () => {
  const names = (tier?: string): string[] => selectTiers(tier).map(({ name }) => name);

  it("runs the tiers swarm and docker-versions only if they are named, because they take long", () => {
    assert.ok(names().includes("integration"));
    for (const tier of ["swarm", "docker-versions"]) {
      assert.ok(!names().includes(tier));
      assert.deepEqual(names(tier), [tier]);
    }
  });
});

describe("the set-up of a tier", () => {
  it("builds Pebble and the emulator's images before tests that have a time limit start", () => {
    const setUpOf = (name: string): string[] =>
      selectTiers(name).flatMap(({ requires }) => requires.map((setUp) => setUp.name));
    assert.ok(setUpOf("integration").includes("prebuildPebble"));
    assert.ok(setUpOf("rehearsal").includes("prebuildPebble"));
    assert.ok(setUpOf("rehearsal").includes("prebuildEmulator"));
    assert.deepEqual(setUpOf("unit"), []);
  });
});

describe("runMocha", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs mocha on a file with the given text. Aborts when it prints "ready". */
  const mochaOn = (text: string, args: readonly string[] = []) => {
    const spec = join(folder, "spec.cjs");
    writeFileSync(spec, text);
    const interrupt = new AbortController();
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (chunk.includes("ready")) interrupt.abort();
        done();
      },
    });
    const section = new OrderedOutput(output).section();
    return runMocha(spec, ["--no-config", ...args], section, interrupt.signal);
  };

  it("ends mocha when the run is interrupted, also by a signal to the command alone", async () => {
    const { failures } = await mochaOn(
      `it("waits", function (done) { this.timeout(0); console.log("ready"); setTimeout(done, 60_000); });`,
    );
    assert.match(failures[0]?.error ?? "", /before it could report/);
  });

  it("counts a mocha that can't be started as a failure, so that the other parts are reported", async () => {
    const { failed, failures } = await mochaOn("", ["\0"]);
    assert.equal(failed, 1);
    assert.match(failures[0]?.error ?? "", /null bytes/);
  });
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { selectTiers } from "../../../packages/cli/commands/develop/test";
import { OrderedOutput } from "../../../packages/cli/terminal/orderedOutput";
import { runMocha } from "../../../packages/cli/testing/mocha";
import { runQueue } from "../../../packages/cli/testing/runQueue";

describe("./store test", () => {
  const names = (tier?: string): string[] => selectTiers(tier).map(({ name }) => name);

  it("runs the tiers swarm, vm-images and docker-versions only if they are named, because they take long", () => {
    assert.ok(names().includes("integration"));
    for (const tier of ["swarm", "vm-images", "docker-versions"]) {
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

describe("runQueue", () => {
  const heavy = (name: string) => ({ name, light: false });
  const light = (name: string) => ({ name, light: true });

  it("runs as many tasks at a time as the limits allow, each once, and light ones beside heavy ones", async () => {
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const tasks = [light("a"), heavy("b"), heavy("c"), heavy("d"), light("e"), light("f")];
    const all = runQueue(tasks, { all: 3, heavy: 2 }, ({ name }) => {
      started.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
    const end = async (name: string): Promise<void> => {
      ends.get(name)?.();
      await new Promise(setImmediate);
    };
    assert.deepEqual(started, ["a", "b", "c"]);
    await end("a");
    assert.deepEqual(started.slice(3), ["e"]);
    await end("b");
    assert.deepEqual(started.slice(4), ["d"]);
    for (const name of ["c", "d", "e"]) await end(name);
    await end("f");
    await all;
    assert.deepEqual([...started].sort(), ["a", "b", "c", "d", "e", "f"]);
  });

  it("starts no further task after one that failed, and fails with its error", async () => {
    const started: string[] = [];
    const run = ({ name }: { name: string }): Promise<void> => {
      started.push(name);
      return name === "a" ? Promise.reject(new Error("broken")) : Promise.resolve();
    };
    const tasks = [heavy("a"), heavy("b"), heavy("c")];
    await assert.rejects(runQueue(tasks, { all: 1, heavy: 1 }, run), /broken/);
    assert.deepEqual(started, ["a"]);
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

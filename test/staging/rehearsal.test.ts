import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@store/azure-emulator/arm/faults";
import { docker, LABEL, labelled } from "@store/azure-emulator/docker";
import { OWNER_FILE, removeOrphans } from "@store/azure-emulator/orphans";
import { isProcessAlive, processIdentity } from "@store/toolchain/system/processIdentity";
import { Rehearsal, Step } from "./rehearsal";
import { Ready } from "@store/azure-emulator/settings";
import { findDocker } from "@store/toolchain/tools/docker";

const ROOT = resolve(__dirname, "../..");
const silent = { step: () => undefined, progress: () => undefined, note: () => undefined };

/** What the one message of an `up` begins with, by what is broken. The last of them leaves half a stack, which is taken down. */
const HALF_WAY = {
  key: /store:sshPublicKey: isn't a public key/,
  login: /nobody is logged in to Azure/,
  subscription: /no such subscription/,
  "registry-login": /the registry \S+ refuses the login/,
} as const satisfies Partial<Record<Fault, RegExp>>;
/** Each of these goes on where the one before has stopped. */
const ALL_THE_WAY = {
  overlap: /The virtual network can't be made: its address range overlaps/,
  size: /The virtual machine can't be made: Azure doesn't have this size there/,
  quota: /The virtual machine can't be made: the subscription's quota is used up/,
  "cloud-init": /the new machine didn't become a Docker host/,
} as const satisfies Partial<Record<Fault, RegExp>>;

describe("The staging stack on the stand-in for Azure", function () {
  // What the issue allows the tier.
  this.timeout(8 * 60_000);

  it("comes up after all that was in the way; changes, survives its machine, and goes although that is gone", async () => {
    const steps: Step[] = [];
    const rehearsal = new Rehearsal({
      root: ROOT,
      dockerHost: await dockerHost(),
      pace: 0,
      faults: [],
      host: "azure",
      registry: "named",
      report: silent,
      onStep: (step) => {
        steps.push(step);
        process.stdout.write(
          `      ${step.seconds.toFixed(1).padStart(6)} s  ${step.name}: ${step.detail}\n`,
        );
      },
    });
    try {
      await rehearsal.begin();
      for (const fault of Object.keys(HALF_WAY)) await rehearsal.fail("up", fault);
      await rehearsal.down();
      for (const fault of Object.keys(ALL_THE_WAY)) await rehearsal.fail("up", fault);
      await rehearsal.complete();
      await rehearsal.down(["vm-gone"]);
    } catch (error) {
      // The step's evidence is what tells why.
      if (error instanceof Error && "evidence" in error)
        process.stdout.write(`${(error.evidence as string[]).join("\n")}\n`);
      throw error;
    } finally {
      await rehearsal.end();
    }
    assert.deepEqual(
      steps.filter(({ failed }) => failed),
      [],
    );
    for (const [fault, message] of Object.entries({ ...HALF_WAY, ...ALL_THE_WAY })) {
      const step = steps.find(({ name }) => name === `up with ${fault} broken`);
      assert.match(step?.detail ?? "", message);
    }
    assert.deepEqual(await left(rehearsal.id), []);
    assert.ok(!existsSync(rehearsal.folder));
  });

  it("leaves nothing behind when it is interrupted", async () => {
    const { rehearse, id, ended } = await begun();
    rehearse.kill("SIGINT");
    assert.equal(await ended, 130);
    assert.deepEqual(await left(id), []);
    assert.deepEqual(folders(id), []);
  });

  it("ends its cloud when it is killed, and the next one removes the rest", async () => {
    const { rehearse, id, ended, ready } = await begun();
    const cloud = processIdentity(ready.pid);
    rehearse.kill("SIGKILL");
    await ended;
    await until(() => !isProcessAlive(cloud));
    assert.deepEqual(await left(id), []);
    assert.deepEqual(await removeOrphans(ready.registry.image), [id]);
    assert.deepEqual(folders(id), []);
    assert.deepEqual(await removeOrphans(ready.registry.image), []);
  });

  it("is removed by the next one when all of it is killed; one that is alive isn't", async () => {
    const { rehearse, id, ended, ready } = await begun();
    const alive = `store-rehearsal-test-${process.pid}`;
    await docker("network", "create", ...labelled(alive), alive);
    try {
      process.kill(ready.pid, "SIGKILL");
      rehearse.kill("SIGKILL");
      await ended;
      assert.notDeepEqual(await left(id), []);
      assert.deepEqual(await removeOrphans(ready.registry.image), [id]);
      assert.deepEqual(await left(id), []);
      assert.deepEqual(folders(id), []);
      assert.deepEqual(await left(alive), [`network ${alive}`]);
    } finally {
      await docker("network", "rm", alive);
    }
  });
});

interface Begun {
  readonly rehearse: ChildProcess;
  readonly id: string;
  readonly ended: Promise<number | null>;
  readonly ready: Ready;
}

/** A rehearsal that has its cloud, and runs the first command of its stack. */
async function begun(): Promise<Begun> {
  const rehearse = spawn("./store", ["rehearse"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [rehearse.stdout, rehearse.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<number | null>((done) => rehearse.once("close", done));
  await until(
    () => /preview before anything exists/.test(output),
    () => output,
  );
  const mark = processIdentity(rehearse.pid);
  const folder = folders("").find((one) => readFileSync(join(one, OWNER_FILE), "utf8") === mark);
  assert.ok(folder !== undefined, output);
  const id = /store-rehearsal-(\w+)-/.exec(folder)?.[1] ?? "";
  const ready = JSON.parse(readFileSync(join(folder, "cloud", "ready.json"), "utf8")) as Ready;
  return { rehearse, id, ended, ready };
}

/** Folders of the rehearsal of that id; of all, where it is empty. */
function folders(id: string): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(`store-rehearsal-${id}`))
    .map((name) => join(tmpdir(), name))
    .filter((folder) => existsSync(join(folder, OWNER_FILE)));
}

async function until(
  isSo: () => boolean | Promise<boolean>,
  otherwise: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `not within two minutes. ${otherwise()}`);
    await sleep(100);
  }
}

async function dockerHost(): Promise<string> {
  const found = await findDocker();
  assert.ok(found.found);
  return found.host;
}

async function left(id: string): Promise<string[]> {
  const filter = ["--filter", `label=${LABEL}=${id}`, "--format"];
  const lists = await Promise.all([
    docker("ps", "--all", ...filter, "container {{.Names}}"),
    docker("volume", "ls", ...filter, "volume {{.Name}}"),
    docker("network", "ls", ...filter, "network {{.Name}}"),
  ]);
  return lists.flatMap((list) => list.split("\n")).filter((line) => line !== "");
}

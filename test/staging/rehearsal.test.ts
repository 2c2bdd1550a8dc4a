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
import { printStep } from "./completeRehearsal";
import { Rehearsal } from "./rehearsal";
import type { Step } from "./report";
import { Ready } from "@store/azure-emulator/settings";
import { findDocker } from "@store/toolchain/tools/docker";

const ROOT = resolve(__dirname, "../..");
const silent = { step: () => undefined, progress: () => undefined, note: () => undefined };

/** Error message of `up`, by fault. The last fault leaves a part of the stack, which is then taken down. */
const BEFORE_DOWN = {
  key: /store:sshPublicKey: isn't a public key/,
  login: /not logged in to Azure/,
  subscription: /no such subscription/,
  "registry-login": /the registry \S+ rejects the login/,
} as const satisfies Partial<Record<Fault, RegExp>>;
/** Error message of `up`, by fault. Each `up` continues from the state that the previous one has left. */
const BEFORE_UP = {
  overlap: /virtual network.*address range overlaps/,
  quota: /virtual machine.*quota for this family of VM sizes is used up/,
  "os-provisioning": /its operating system didn't report to Azure/,
  "cloud-init": /cloud-init finished without a working Docker/,
} as const satisfies Partial<Record<Fault, RegExp>>;

describe("The staging stack on the Azure emulator", function () {
  // Only ends a run that hangs: a busy machine takes twice as long as a quiet one.
  this.timeout(40 * 60_000);

  it("comes up after every fault, rolls out a change, survives the replacement of the VM, and can be taken down without the VM", async () => {
    const steps: Step[] = [];
    const rehearsal = new Rehearsal({
      root: ROOT,
      dockerHost: await dockerHost(),
      latencyFactor: 0,
      faults: [],
      host: "azure",
      registry: "named",
      https: true,
      report: silent,
      onStep: (step) => {
        steps.push(step);
        printStep(step);
      },
    });
    try {
      await rehearsal.begin();
      for (const fault of Object.keys(BEFORE_DOWN)) await rehearsal.fail("up", fault);
      await rehearsal.down();
      for (const fault of Object.keys(BEFORE_UP)) await rehearsal.fail("up", fault);
      await rehearsal.complete();
      await rehearsal.down(["vm-gone"]);
    } catch (error) {
      // Print the evidence of a failed step.
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
    for (const [fault, message] of Object.entries({ ...BEFORE_DOWN, ...BEFORE_UP })) {
      const step = steps.find(({ name }) => name === `up with fault ${fault}`);
      assert.match(step?.detail ?? "", message);
    }
    assert.deepEqual(await remaining(rehearsal.id), []);
    assert.ok(!existsSync(rehearsal.folder));
  });

  it("removes everything when it is interrupted", async () => {
    const { rehearse, id, ended } = await startRehearsal();
    rehearse.kill("SIGINT");
    assert.equal(await ended, 130);
    assert.deepEqual(await remaining(id), []);
    assert.deepEqual(folders(id), []);
  });

  it("ends the emulator when the command is killed, and the next rehearsal removes the rest", async () => {
    const { rehearse, id, ended, ready } = await startRehearsal();
    const emulator = processIdentity(ready.pid);
    rehearse.kill("SIGKILL");
    await ended;
    await until(() => !isProcessAlive(emulator));
    assert.deepEqual(await remaining(id), []);
    assert.deepEqual(await removeOrphans(ready.registry.image), [id]);
    assert.deepEqual(folders(id), []);
    assert.deepEqual(await removeOrphans(ready.registry.image), []);
  });

  it("removes the orphans of a rehearsal whose processes were all killed, but not of a running one", async () => {
    const { rehearse, id, ended, ready } = await startRehearsal();
    const running = `store-rehearsal-test-${process.pid}`;
    await docker("network", "create", ...labelled(running), running);
    try {
      process.kill(ready.pid, "SIGKILL");
      rehearse.kill("SIGKILL");
      await ended;
      assert.notDeepEqual(await remaining(id), []);
      assert.deepEqual(await removeOrphans(ready.registry.image), [id]);
      assert.deepEqual(await remaining(id), []);
      assert.deepEqual(folders(id), []);
      assert.deepEqual(await remaining(running), [`network ${running}`]);
    } finally {
      await docker("network", "rm", running);
    }
  });
});

interface StartedRehearsal {
  readonly rehearse: ChildProcess;
  readonly id: string;
  readonly ended: Promise<number | null>;
  readonly ready: Ready;
}

/** Starts `./store rehearse`, and waits until it runs its first command on the stack. */
async function startRehearsal(): Promise<StartedRehearsal> {
  const rehearse = spawn("./store", ["rehearse"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [rehearse.stdout, rehearse.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<number | null>((done) => rehearse.once("close", done));
  await until(
    () => /preview from nothing/.test(output),
    () => output,
  );
  const identity = processIdentity(rehearse.pid);
  const folder = folders("").find(
    (one) => readFileSync(join(one, OWNER_FILE), "utf8") === identity,
  );
  assert.ok(folder !== undefined, output);
  const id = /store-rehearsal-(\w+)-/.exec(folder)?.[1] ?? "";
  const ready = JSON.parse(readFileSync(join(folder, "cloud", "ready.json"), "utf8")) as Ready;
  return { rehearse, id, ended, ready };
}

/** Returns the folders of the rehearsal with this ID; of all rehearsals, if the ID is empty. */
function folders(id: string): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(`store-rehearsal-${id}`))
    .map((name) => join(tmpdir(), name))
    .filter((folder) => existsSync(join(folder, OWNER_FILE)));
}

/** Limit that only ends a test that hangs. */
const LIMIT_SECONDS = 600;

async function until(
  condition: () => boolean | Promise<boolean>,
  details: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + LIMIT_SECONDS * 1_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `timed out after ${LIMIT_SECONDS} s. ${details()}`);
    await sleep(100);
  }
}

async function dockerHost(): Promise<string> {
  const found = await findDocker();
  assert.ok(found.found);
  return found.host;
}

async function remaining(id: string): Promise<string[]> {
  const filter = ["--filter", `label=${LABEL}=${id}`, "--format"];
  const lists = await Promise.all([
    docker("ps", "--all", ...filter, "container {{.Names}}"),
    docker("volume", "ls", ...filter, "volume {{.Name}}"),
    docker("network", "ls", ...filter, "network {{.Name}}"),
  ]);
  return lists.flatMap((list) => list.split("\n")).filter((line) => line !== "");
}

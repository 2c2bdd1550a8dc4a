import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, LABEL } from "../../rehearsal/docker";
import { Rehearsal, Step } from "../../rehearsal/rehearsal";
import { findDocker } from "../../toolchain/docker";

const ROOT = resolve(__dirname, "../..");
const silent = { step: () => undefined, progress: () => undefined, note: () => undefined };

describe("The staging stack on the stand-in for Azure", function () {
  // What the issue allows the tier.
  this.timeout(8 * 60_000);

  it("comes up from nothing, after a quota that was in the way; changes, survives its machine, and goes", async () => {
    const steps: Step[] = [];
    const rehearsal = new Rehearsal({
      root: ROOT,
      dockerHost: await dockerHost(),
      pace: 0,
      fault: "quota",
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
      await rehearsal.run();
      await rehearsal.down();
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
    assert.match(steps.find(({ name }) => name === "up with quota broken")?.detail ?? "", /quota/i);
    assert.ok(steps.some(({ name }) => name === "down"));
    assert.deepEqual(await left(rehearsal.id), []);
    assert.ok(!existsSync(rehearsal.folder));
  });

  it("leaves nothing behind when it is interrupted", async () => {
    const before = await docker("ps", "--all", "--quiet", "--filter", `label=${LABEL}`);
    const rehearse = spawn("./store", ["rehearse"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [rehearse.stdout, rehearse.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    const code = new Promise<number | null>((done) => rehearse.once("close", done));
    for (let i = 0; i < 1200 && !output.includes("preview before anything exists"); i++)
      await sleep(100);
    rehearse.kill("SIGINT");
    assert.equal(await code, 130, output);
    assert.equal(
      await docker("ps", "--all", "--quiet", "--filter", `label=${LABEL}`),
      before,
      output,
    );
  });
});

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

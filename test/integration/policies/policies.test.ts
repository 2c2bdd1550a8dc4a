import assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { run, RunResult } from "@store/toolchain/system/run";
import { readEvents } from "../../../packages/cli/engine/events";
import { resourceName } from "../../../packages/cli/state/checkpoint";
import config from "../../../policy/config.json";
import { POLICIES } from "../../../policy/policies";

const REPOSITORY = resolve(__dirname, "../../..");

const levels: Readonly<Record<string, { readonly enforcementLevel: string }>> = config;

describe("the policy pack under the real engine", () => {
  let folder: string;
  let provider: ChildProcess;
  let env: NodeJS.ProcessEnv;
  let pulumi: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-policies-"));
    symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    const engine = await ensureEngine(silent);
    pulumi = engine.pulumi;
    provider = startProvider();
    const [port] = (await once(provider.stdout ?? assert.fail(), "data")) as [Buffer];
    env = {
      ...process.env,
      ...engine.env,
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_DEBUG_COMMANDS: "true",
      PULUMI_DEBUG_PROVIDERS: ["docker", "azure-native"]
        .map((name) => `${name}:${String(port).trim()}`)
        .join(","),
    };
  });
  after(() => {
    provider.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it("accepts a stack that keeps to all mandatory policies, and reports an advisory violation", async () => {
    const { code, violations, output } = await preview("staging", "obedient");
    assert.deepEqual(
      violations,
      ["simulated-payments-in-staging: no-simulated-payments advisory"],
      output,
    );
    assert.equal(code, 0, output);
  });

  it("refuses a stack that breaks them, and names each policy at the resource that breaks it", async () => {
    const { code, violations, output } = await preview("test", "disobedient");
    const expected = [
      ...POLICIES.map(({ name }) => `${name}: ${name} ${levels[name]?.enforcementLevel}`),
      // Its size has no price either.
      "vm-size-allowed: monthly-cost advisory",
    ];
    assert.deepEqual(violations, expected.sort(), output);
    assert.notEqual(code, 0, output);
  });

  /** Previews a program of stacks.ts as a new stack. Returns the violations as "RESOURCE: POLICY LEVEL". */
  async function preview(stack: string, program: string) {
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      "name: store\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }');
    writeFileSync(
      join(folder, "index.js"),
      `require("tsx/cjs");\nmodule.exports = require(${JSON.stringify(join(__dirname, "stacks.ts"))}).${program};\n`,
    );
    const call = (...args: string[]): Promise<RunResult> =>
      run(pulumi, args, { cwd: folder, environment: env });
    await call("stack", "init", stack);
    const log = join(folder, `${stack}.json`);
    const pack = join(REPOSITORY, "policy/serve");
    const { code, stdout, stderr } = await call(
      "preview",
      "--policy-pack",
      pack,
      "--event-log",
      log,
    );
    const violations = readEvents(log).flatMap(({ policyEvent: event }) =>
      event
        ? [
            `${resourceName(event.resourceUrn ?? "")}: ${event.policyName} ${event.enforcementLevel}`,
          ]
        : [],
    );
    return { code, violations: violations.sort(), output: stdout + stderr };
  }
});

const silent = { step: () => undefined, note: () => undefined, progress: () => undefined };

function startProvider(): ChildProcess {
  const file = join(__dirname, "provider.ts");
  return spawn(process.execPath, ["--require", "tsx/cjs", file, "127.0.0.1:0"], {
    cwd: REPOSITORY,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

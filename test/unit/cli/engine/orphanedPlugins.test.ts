import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { enginePort } from "@store/cli/engine/orphanedPlugins";
import { removeStaleEngineLocks } from "@store/cli/engine/setup";
import { ROOT } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";

describe("enginePort", () => {
  const portIn =
    (folder: string) =>
    (...words: string[]): number | undefined =>
      enginePort(`${words.join("\0")}\0`, () => folder);
  const ADDRESS = "127.0.0.1:42147";

  it("returns the engine's port from a plugin's command line, and undefined for other processes", () => {
    const port = portIn("/");
    assert.equal(port("/h/bin/pulumi-language-nodejs", ADDRESS), 42147);
    assert.equal(port("/h/plugins/x/pulumi-resource-docker", ADDRESS), 42147);
    assert.equal(port("/bin/pulumi", "up", ADDRESS), undefined);
    assert.equal(port("vi", "pulumi-resource-docker", ADDRESS), undefined);
    assert.equal(port("pulumi-resource-docker"), undefined);
    assert.equal(port(""), undefined);
  });

  it("returns the engine's port for this checkout's policy pack", () => {
    const policyPack = ["node", "policy/serve", ADDRESS];
    assert.equal(portIn(join(ROOT, "policy"))(...policyPack), 42147);
    assert.equal(portIn(`${ROOT}-2/policy`)(...policyPack), undefined);
    assert.equal(portIn(join(ROOT, "policy"))("node", "other", ADDRESS), undefined);
  });

  it("returns the engine's port for this checkout's program", () => {
    const script = join(ROOT, "node_modules/@pulumi/pulumi/cmd/run/index.js");
    const program = ["/usr/bin/node", script, "--monitor", "127.0.0.1:1", "--engine", ADDRESS, "."];
    assert.equal(portIn(ROOT)(...program), 42147);
    assert.equal(portIn("/other")(...program), undefined);
    assert.equal(portIn(ROOT)("/usr/bin/node", script, ADDRESS), undefined);
  });
});

describe("removeStaleEngineLocks", () => {
  it("ends orphaned plugins also if no lock is left", async function () {
    if (process.platform !== "linux") this.skip();
    const stub = "exec -a /x/pulumi-resource-stub tail -f /dev/null 127.0.0.1:1";
    const plugin = spawn("bash", ["-c", stub], { stdio: "ignore" });
    try {
      await sleep(500);
      const session = { state: { backend: { kind: "user" } }, stack: { name: "dev" } };
      await removeStaleEngineLocks(session as Session, {} as never);
      await sleep(500);
      assert.equal(plugin.signalCode, "SIGTERM");
    } finally {
      plugin.kill("SIGKILL");
    }
  });
});

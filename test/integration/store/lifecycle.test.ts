import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "../../support/run";
import { TestStore } from "../support/testStore";

/** The tests build on each other, because `up` is too slow to start from nothing in each. */
describe("a stack", function () {
  this.bail(true);
  let store: TestStore;

  before(async () => {
    store = await TestStore.create({ services: ["billing", "inventory"] });
    await store.succeed("up");
  });
  after(() => store.dispose());

  it("restores containers that were removed or stopped manually", async () => {
    const containers = await store.running();
    await run("docker", ["rm", "--force", containers.get("billing/service") ?? ""]);
    await run("docker", ["stop", "--time", "1", containers.get("inventory/service") ?? ""]);
    await store.succeed("up");
    const running = await store.running();
    assert.ok(running.has("billing/service") && running.has("inventory/service"));
    assert.equal((await fetch(`${store.url}/api/billing/openapi.json`)).status, 200);
  });

  it("continues and reconnects containers that were paused or disconnected manually", async () => {
    const containers = await store.running();
    const found = (await store.left()).find((line) => line.startsWith("network inventory-network"));
    const network = found?.split(" ")[1] ?? "";
    const disconnect = ["network", "disconnect", network];
    for (const [shown, ...faults] of [
      [
        /(?=[^]*disconnected from network inventory-network)[^]*paused/,
        [disconnect, "inventory/service"],
        [["pause"], "inventory/database"],
        [["pause"], "billing/service"],
      ],
      [/disconnected from network inventory-network/, [disconnect, "gateway/gateway"]],
    ] as const) {
      for (const [command, name] of faults)
        await run("docker", [...command, containers.get(name) ?? ""]);
      const before = await store.succeed("ps");
      assert.match(before, shown);
      assert.match(before, new RegExp(`localhost:${store.port} (answers, but not for|doesn't)`));
      assert.match(await store.succeed("up"), /Drift detected/);
      for (const service of ["billing", "inventory"])
        assert.equal((await fetch(`${store.url}/api/${service}/openapi.json`)).status, 200);
    }
    assert.doesNotMatch(await store.succeed("ps"), /disconnected|paused|answers/);
  });

  it("publishes the port again when Docker's process that listens there has ended", async () => {
    const { output } = await run("pgrep", ["-f", `docker-proxy .*-host-port ${store.port} `]);
    if (output.trim() !== "") await run("kill", ["-9", ...output.trim().split("\n")]);
    await store.succeed("up");
    assert.equal((await fetch(`${store.url}/api`)).status, 200);
  });

  it("isn't shown, entered or removed by another checkout with a stack of the same name", async () => {
    const before = await store.running();
    const second = await store.secondCheckout({ services: ["billing", "inventory"] });
    try {
      for (const command of ["ps", "url", "logs"]) {
        const { output } = await second.run(command);
        assert.doesNotMatch(output, new RegExp(`healthy|:${store.port}|"level"`), command);
      }
      const entered = await second.command(
        ...(["./store", "exec", "-s", store.stack, "inventory-database", "--", "id"] as const),
      );
      assert.notEqual(entered.code, 0);
      assert.match(entered.output, /another checkout/);
      await second.run("down", "--yes", "--volumes");
    } finally {
      rmSync(second.folder, { recursive: true, force: true });
    }
    assert.deepEqual(await store.running(), before);
    assert.equal((await fetch(`${store.url}/api/inventory/openapi.json`)).status, 200);
    assert.match(await store.succeed("preview", "--", "--expect-no-changes"), /unchanged/);
  });

  it("keeps the data through down and up", async () => {
    await psql("CREATE TABLE kept AS SELECT 42 AS answer");
    await store.succeed("down", "--yes");
    assert.deepEqual((await store.containers()).length, 0);
    assert.match((await store.run("token")).output, /has no token: it isn't up.*Bring it up: /s);
    assert.ok(
      (await store.left()).every((line) => line.startsWith("volume ")),
      (await store.left()).join(),
    );
    await store.succeed("up");
    assert.match(await psql("SELECT answer FROM kept"), /42/);
  });

  it("runs a subset of the services with their dependencies, and keeps the data of the others", async () => {
    store.configure({ services: ["billing"] });
    await store.succeed("up");
    assert.deepEqual(servicesOf(await store.running()), ["billing", "gateway"]);
    assert.equal((await fetch(`${store.url}/api/orders/openapi.json`)).status, 404);
    store.configure({ services: ["inventory"] });
    await store.succeed("up");
    assert.match(await psql("SELECT answer FROM kept"), /42/);
  });

  it("keeps the data when it is renamed", async () => {
    await store.rename(`${store.stack}-renamed`);
    await store.succeed("up");
    assert.match(await psql("SELECT answer FROM kept"), /42/);
  });

  describe("with a state that a team shares", () => {
    let shared: string;
    let second: TestStore | undefined;
    before(() => (shared = mkdtempSync(join(tmpdir(), "store-shared-"))));
    after(() => {
      for (const folder of [shared, second?.folder])
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    it("has everything after the move, also if the move was killed", async () => {
      const use = ["state", "use", `file://${shared}`, store.stack] as const;
      const { child, pid } = startMove(use);
      const copy = join(shared, `.pulumi/stacks/store/${store.stack}.json`);
      while (!existsSync(copy) && child.exitCode === null) await pause(20);
      if (child.exitCode === null) process.kill(-pid, "SIGKILL");
      // A kill while the engine writes this file leaves it empty.
      writeFileSync(`${copy}.attrs`, "");
      const again = await store.command("./store", ...use);
      assert.equal(again.code, 0, again.output);
      assert.match((await store.command("./store", ...use)).output, /already uses file:/);
      assert.match(
        store.read(`Pulumi.${store.stack}.yaml`),
        /stateBackend: file:.*encryptionsalt/s,
      );
      assert.match(await store.succeed("preview", "--", "--expect-no-changes"), /unchanged/);
      assert.match(await psql("SELECT answer FROM kept"), /42/);
    });

    it("can be used by another checkout that has never run it", async () => {
      second = await store.secondCheckout();
      const file = `Pulumi.${store.stack}.yaml`;
      second.write(file, store.read(file));
      const refused = await second.run("preview");
      assert.match(refused.output, /passphrase of the shared stack .* is missing.*passphrases\//s);
      cpSync(join(store.folder, ".store/passphrases"), join(second.folder, ".store/passphrases"), {
        recursive: true,
      });
      assert.match(await second.succeed("ps"), /inventory .*healthy/);
      assert.match(await second.succeed("url"), new RegExp(`:${store.port}\\b`));
      assert.match(await second.succeed("env"), /DOCKER_HOST/);
      assert.match(
        (await second.command("./store", "logs", "-s", store.stack)).output,
        /inventory/,
      );
      assert.equal(await second.succeed("token"), await store.succeed("token"));
      assert.match(await second.succeed("preview", "--", "--expect-no-changes"), /unchanged/);
      await second.succeed("down", "--yes");
      assert.deepEqual(await store.containers(), []);
    });
  });

  /** Starts a command in a process group of its own. */
  function startMove(args: readonly string[]) {
    const child = spawn("./store", args, {
      cwd: store.folder,
      env: store.environment,
      detached: true,
      stdio: "ignore",
    });
    assert.ok(child.pid !== undefined);
    return { child, pid: child.pid };
  }

  async function psql(statement: string): Promise<string> {
    const script = `PGPASSWORD=$(cat /run/secrets/database-password) psql -h 127.0.0.1 -U inventory inventory -c '${statement}'`;
    return store.exec("inventory/database", "sh", "-c", script);
  }
});

function servicesOf(running: Map<string, string>): string[] {
  return [...new Set([...running.keys()].map((key) => key.split("/")[0] ?? ""))].sort();
}

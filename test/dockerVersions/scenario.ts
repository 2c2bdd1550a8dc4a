import assert from "node:assert/strict";
import { TestStore } from "../integration/support/testStore";
import { LoadProcess } from "./load";

/** Measurements of the scenario, as far as it got. Times are in seconds. */
export interface Measurements {
  /** Docker's version and storage driver. */
  docker?: string;
  node?: string;
  up?: number;
  /** Time of the `up` that replaces a service. */
  rollout?: number;
  requests?: number;
  lostRequests?: number;
  longestGapMs?: number;
  preview?: number;
  down?: number;
}

/**
 * Runs the scenario: a first `up`, a rollout under load, an unchanged preview with refresh, and `down --volumes`.
 *
 * @param clients Command line that runs another command where the store's port can be reached.
 * @param measured Receives the measurements, those before a failure too.
 */
export async function runScenario(
  store: TestStore,
  clients: readonly string[],
  measured: Measurements,
): Promise<void> {
  Object.assign(measured, await versions(store));
  measured.up = await seconds(() => store.succeed("up"));
  await rollOut(store, clients, measured);
  measured.preview = await seconds(() =>
    store.succeed("preview", "--refresh", "--", "--expect-no-changes"),
  );
  measured.down = await seconds(() => store.succeed("down", "--yes", "--volumes"));
  assert.deepEqual(await store.left(), [], "down left something behind");
}

export async function versions(store: TestStore): Promise<Pick<Measurements, "docker" | "node">> {
  const version = await store.command("docker", "version", "--format", "{{.Server.Version}}");
  const driver = await store.command("docker", "info", "--format", "{{.Driver}}");
  const node = await store.command("node", "--version");
  assert.equal(version.code, 0, version.output);
  return {
    docker: `${version.output.trim()}, ${driver.output.trim()}`,
    node: node.output.trim().replace("v", ""),
  };
}

async function rollOut(
  store: TestStore,
  clients: readonly string[],
  measured: Measurements,
): Promise<void> {
  const before = await store.running();
  store.edit("services/inventory/src/main.ts", "", "// another content\n");
  const load = LoadProcess.on(`${store.url}/api/inventory/products`, clients);
  measured.rollout = await seconds(() => store.succeed("up")).finally(async () => {
    const { requests, failures, longestGapMs } = await load.stop();
    Object.assign(measured, { requests, lostRequests: failures.length, longestGapMs });
    assert.deepEqual(failures, [], "requests were lost");
  });
  assert.ok((measured.requests ?? 0) > 100, `only ${measured.requests} requests were sent`);
  const after = await store.running();
  const replaced = [...after].filter(([key, id]) => before.get(key) !== id).map(([key]) => key);
  assert.deepEqual(replaced, ["inventory/service"]);
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return Math.round((performance.now() - start) / 1000);
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "../support/inspect";
import { run, TestStore } from "../support/testStore";

/** Defines tests of what the containers of a running store may do and reach. */
export function testIsolation(running: () => TestStore): void {
  it("serves /healthz, /readyz, /metrics and /openapi.json in each service, but not to the outside", async () => {
    const store = running();
    const paths = ["/healthz", "/readyz", "/metrics", "/openapi.json"];
    for (const service of ["inventory", "orders", "billing", "shipping", "storefront"]) {
      const urls = paths.map((path) => `http://127.0.0.1:3000${path}`);
      const outcomes = await reach(store, service, urls);
      assert.deepEqual(Object.values(outcomes), ["200", "200", "200", "200"], service);
    }
    for (const path of paths) {
      assert.equal((await fetch(`${store.url}${path}`)).status, 404, path);
    }
  });

  it("allows storefront to reach only the gateway", async () => {
    const store = running();
    const hosts = ["inventory", "orders", "billing", "shipping", "inventory-database"];
    const address = await addressOf(store, "inventory", "backend");
    const byAddress = `http://${address}:3000/healthz`;
    const byName = hosts.map((host) => `http://${host}:3000/healthz`);
    const outcomes = await reach(store, "storefront", [GATEWAY, byAddress, ...byName]);
    assert.equal(outcomes[GATEWAY], "200");
    assert.match(outcomes[byAddress] ?? "", UNREACHABLE);
    for (const url of byName) assert.equal(outcomes[url], "ENOTFOUND", url);
  });

  it("allows only a service to reach its database", async () => {
    const store = running();
    const byName = "tcp://inventory-database:5432";
    assert.equal((await reach(store, "inventory", [byName]))[byName], "connected");
    const address = await addressOf(store, "inventory-database", "inventory-database");
    const byAddress = `tcp://${address}:5432`;
    const others = ["orders", "billing", "shipping", "storefront"];
    await Promise.all(
      others.map(async (service) => {
        const outcomes = await reach(store, service, [byName, byAddress]);
        assert.equal(outcomes[byName], "ENOTFOUND", service);
        assert.match(outcomes[byAddress] ?? "", UNREACHABLE, service);
      }),
    );
  });

  it("publishes one port, on the loopback interface", async () => {
    const store = running();
    const { output } = await run("docker", [
      "ps",
      "--filter",
      `label=dev.store.stack=${store.stack}`,
      "--format",
      "{{.Ports}}",
    ]);
    const published = output.split("\n").filter((line) => line.includes("->"));
    assert.deepEqual(published, [`127.0.0.1:${store.port}->8080/tcp`]);
  });

  it("runs containers with minimal privileges", async () => {
    const store = running();
    const containers = await store.containers("status=running");
    assert.equal(containers.length, 10);
    for (const { id, name } of containers) {
      const host = (await inspect(id)).HostConfig;
      assert.equal(host.ReadonlyRootfs, true, name);
      assert.deepEqual(host.CapDrop, ["ALL"], name);
      assert.equal(host.CapAdd, null, name);
      assert.deepEqual(host.SecurityOpt, ["no-new-privileges:true"], name);
      assert.ok(host.Memory > 0 && host.MemorySwap === host.Memory, name);
      assert.ok((host.PidsLimit ?? 0) > 0, `${name} has no limit of processes`);
      assert.equal(host.Init, true, name);
      assert.equal(host.RestartPolicy.Name, "unless-stopped", name);
      assert.equal(host.LogConfig.Config["max-size"], "10m", name);
      const { output } = await run("docker", ["exec", id, "id", "-u"]);
      assert.notEqual(output.trim(), "0", `${name} runs as root`);
    }
  });
}

const GATEWAY = "http://gateway/api/inventory/products";
const UNREACHABLE = /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout)$/;
const REACH = readFileSync(join(__dirname, "reach.cjs"), "utf8");

/** Returns the outcome of connecting to each URL from inside a service's container; see reach.cjs. */
async function reach(
  store: TestStore,
  service: string,
  urls: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const output = await store.exec(`${service}/service`, "node", "-e", REACH, ...urls);
  const outcomes = JSON.parse(output) as readonly string[];
  return Object.fromEntries(urls.map((url, index) => [url, outcomes[index] ?? ""]));
}

async function addressOf(store: TestStore, service: string, network: string): Promise<string> {
  const role = service.endsWith("-database") ? "database" : "service";
  const id = await store.idOf(`${service.replace(/-database$/, "")}/${role}`);
  const networks = Object.entries((await inspect(id)).NetworkSettings.Networks);
  const found = networks.find(([name]) => name.startsWith(network));
  assert.ok(found, `${service} is on ${networks.map(([name]) => name).join()}`);
  return found[1].IPAddress;
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { assertNoWayOut, type Exec, OUTSIDE, reachFrom } from "../../support/reach";
import { inspect } from "../support/inspect";
import { run } from "../../support/run";
import { type ContainerKey, TestStore } from "../support/testStore";

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

  it("allows each service to resolve only what its spec names, and to reach it only there", async () => {
    const store = running();
    const all = ["inventory", "orders", "billing", "shipping", "storefront"];
    const databases = ["inventory", "orders", "billing", "shipping"].map((n) => `${n}-database`);
    const port = (name: string) =>
      name === "gateway" ? 80 : name.endsWith("-database") ? 5432 : 3000;
    const names = [...all, ...databases, "gateway"];
    await Promise.all(
      all.map(async (service) => {
        const allowed = [service, ...(ALLOWED[service] ?? [`${service}-database`])];
        // On its own network, on which only the services that call it are.
        const strangers = all.filter((other) => !allowed.includes(other));
        const addresses = await Promise.all(
          strangers.map((other) => addressOf(store, other, `${other}-network`)),
        );
        const byName = names.map((name) => `${name}:${port(name)}`);
        const reached = await reachFrom(execIn(store, `${service}/service`), byName);
        for (const target of byName) {
          const isAllowed = allowed.includes(target.split(":")[0] ?? "");
          assert.equal(
            reached[target],
            isAllowed ? "connected" : "unknown",
            `${service} → ${target}`,
          );
        }
        // By HTTP, because something else may have this address on the internet, which billing reaches.
        const byAddress = addresses.map((address) => `http://${address}:3000/healthz`);
        for (const [url, outcome] of Object.entries(await reach(store, service, byAddress)))
          assert.notEqual(outcome, "200", `${service} → ${url}`);
      }),
    );
    const gateway = await reachFrom(
      execIn(store, "gateway/gateway"),
      [...all, ...databases].map((name) => `${name}:${port(name)}`),
    );
    for (const [target, outcome] of Object.entries(gateway))
      assert.equal(outcome === "connected", !target.includes("-database"), `gateway → ${target}`);
  });

  it("opens internal routes only for the services that depend on a service", async () => {
    const store = running();
    const attack = `const [url, file] = process.argv.slice(1);
      const token = file ? require("fs").readFileSync(file, "utf8") : "x";
      fetch(url, { headers: { authorization: "Bearer " + token } }).then(({ status }) => console.log(status));`;
    const products = "http://inventory:3000/internal/products?skus=MUG-STONE";
    const changes = "http://shipping:3000/internal/shipments/changes?after=0";
    const status = async (url: string, token = "") => {
      const own = token && `/run/secrets-orders-calls/${token}_TOKEN`;
      return (await store.exec("orders/service", "node", "-e", attack, url, own)).trim();
    };
    for (const url of [products, changes]) assert.equal(await status(url), "401", url);
    assert.equal(await status(products, "INVENTORY"), "200");
    assert.equal(await status(changes, "SHIPPING"), "200");
    assert.equal(await status(changes, "INVENTORY"), "401", "a token for another service");
  });

  it("gives only services with egress a way to the internet and to the host's ports", async () => {
    const store = running();
    const listener = createServer((socket) => socket.destroy()).listen(0, "0.0.0.0");
    await once(listener, "listening");
    try {
      const { port } = listener.address() as AddressInfo;
      const own = Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ family, internal }) => family === "IPv4" && !internal)
        .map(({ address }) => address);
      const containers = await store.containers("status=running");
      const check = async ({ id, name, role, service }: (typeof containers)[number]) => {
        const networks = Object.values((await inspect(id)).NetworkSettings.Networks);
        // The address that the host would have on the network, which Docker leaves out of "Gateway" if there is none.
        const bridges = networks.map(({ IPAddress }) => IPAddress.replace(/[.]\d+$/, ".1"));
        const host = [...new Set([...own, ...bridges])].map((address) => `${address}:${port}`);
        const exec = execIn(store, `${service}/${role}`);
        if (service === "billing" && role === "service") {
          const reached = await reachFrom(exec, [...OUTSIDE, ...host]);
          assert.notEqual(reached[OUTSIDE[0] ?? ""], "unreachable", "billing has no route");
          assert.ok(Object.values(reached).includes("connected"), JSON.stringify(reached));
        } else if (role !== "gateway") {
          await assertNoWayOut(name, exec, host);
        }
      };
      await Promise.all(containers.map(check));
    } finally {
      listener.close();
    }
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
        assert.match(outcomes[byName] ?? "", UNKNOWN, service);
        // Somebody on the internet, which billing reaches, may have this address.
        if (service !== "billing") assert.match(outcomes[byAddress] ?? "", UNREACHABLE, service);
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

/** Names that a service reaches besides its own. By default, its database. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  orders: ["orders-database", "inventory", "billing", "shipping"],
  storefront: ["gateway"],
};
const UNREACHABLE = /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout)$/;
const UNKNOWN = /^(ENOTFOUND|EAI_AGAIN)$/;
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

function execIn(store: TestStore, container: ContainerKey): Exec {
  return (...command) => store.exec(container, ...command);
}

async function addressOf(store: TestStore, service: string, network: string): Promise<string> {
  const role = service.endsWith("-database") ? "database" : "service";
  const id = await store.idOf(`${service.replace(/-database$/, "")}/${role}`);
  const networks = Object.entries((await inspect(id)).NetworkSettings.Networks);
  const found = networks.find(([name]) => name.startsWith(network));
  assert.ok(found, `${service} is on ${networks.map(([name]) => name).join()}`);
  return found[1].IPAddress;
}

import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LocalHost } from "../../../../components/host/localHost";
import { NETWORK, promiseOf, reset, resource, resources, setMocks } from "../../mocks";
import { runningContainers, createStore } from "./createStore";

describe("The networks of Store", () => {
  before(setMocks);
  beforeEach(reset);

  it("publishes no port but the gateway's, on the loopback interface", async () => {
    createStore();
    const published = (await runningContainers()).filter(
      ({ inputs }) => inputs["ports"] !== undefined,
    );
    assert.deepEqual(
      published.map(({ name, inputs }) => [name, inputs["ports"]]),
      [["gateway", [{ internal: 8080, external: 8081, ip: "127.0.0.1" }]]],
    );
  });

  it("connects each container to its own networks only", async () => {
    createStore();
    const networks = Object.fromEntries(
      (await runningContainers()).map(({ name, inputs }) => [
        name,
        (inputs["networksAdvanced"] as { name: string; aliases?: string[] }[]).map(
          (network) => `${network.name.replace(/-1234567$/, "")}:${network.aliases?.join() ?? ""}`,
        ),
      ]),
    );
    assert.deepEqual(networks, {
      gateway: ["edge:gateway"],
      "storefront-0": ["storefront-network:storefront"],
      "inventory-0": ["inventory-network:inventory", "inventory-database:", "inventory-egress:"],
      "inventory-database": ["inventory-database:inventory-database"],
      "orders-0": ["orders-network:orders", "inventory-network:", "orders-database:"],
      "orders-database": ["orders-database:orders-database"],
    });
    const isInternal = (await resources(NETWORK)).map(({ name, inputs }) => [
      name,
      inputs["internal"] ?? false,
    ]);
    assert.deepEqual(Object.fromEntries(isInternal), {
      edge: false,
      "inventory-egress": false,
      "inventory-network": true,
      "orders-network": true,
      "storefront-network": true,
      "inventory-database": true,
      "orders-database": true,
    });
  });

  it("gives no container a way to the host, and only those with egress one to the internet", async () => {
    createStore();
    for (const { name, inputs } of await resources(NETWORK)) {
      const options = inputs["options"] as Record<string, string> | undefined;
      const label = (inputs["labels"] as { label: string; value: string }[]).find(
        (one) => one.label === "dev.store.gateway",
      );
      if (/-network$/.test(name)) {
        assert.equal(options?.["com.docker.network.bridge.inhibit_ipv4"], "true", name);
        assert.equal(label?.value, name.startsWith("storefront") ? "gateway" : "-");
      } else {
        assert.equal(label, undefined, name);
      }
    }
    const edge = await resource(NETWORK, "edge");
    assert.deepEqual(edge.inputs["options"], {
      "com.docker.network.bridge.enable_ip_masquerade": "false",
    });
  });

  it("has the host close its ports to all networks that aren't isolated, if the host can", async () => {
    let closed: readonly pulumi.Input<string>[] = [];
    const host = Object.assign(new LocalHost("local", { dockerHost: "unix:///test.sock" }), {
      closePortsTo: (networks: readonly pulumi.Input<string>[]) => (closed = networks),
    });
    const certificate = { directory: "https://ca.example/directory" };
    createStore({ host, https: { names: ["localhost"], port: 8443, hstsSeconds: 0, certificate } });
    const open = (await resources(NETWORK)).filter(({ inputs }) => inputs["internal"] !== true);
    const ids = await Promise.all(closed.map((id) => promiseOf(pulumi.output(id))));
    assert.deepEqual(ids.sort(), open.map(({ name }) => `${name}-id`).sort());
    assert.deepEqual(ids, ["certificates-id", "edge-id", "inventory-egress-id"]);
  });
});

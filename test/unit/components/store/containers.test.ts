import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ServiceSpec } from "../../../../services/spec";
import {
  COMMAND,
  CONTAINER,
  NETWORK,
  reset,
  resource,
  resources,
  setMocks,
  VOLUME,
} from "../../mocks";
import { runningContainers, createStore } from "./createStore";

describe("The containers of Store", () => {
  before(setMocks);
  beforeEach(reset);

  it("hardens every running container", async () => {
    createStore();
    const containers = await runningContainers();
    assert.equal(containers.length, 6);
    for (const { name, inputs } of containers) {
      assert.equal(inputs["readOnly"], true, name);
      assert.deepEqual(inputs["capabilities"], { drops: ["ALL"] }, name);
      assert.deepEqual(inputs["securityOpts"], ["no-new-privileges:true"], name);
      assert.equal(inputs["init"], true, name);
      assert.equal(inputs["restart"], "unless-stopped", name);
      assert.ok(Number(inputs["memory"]) > 0, name);
      assert.equal(inputs["memorySwap"], inputs["memory"], name);
      assert.deepEqual(inputs["logOpts"], { "max-size": "10m", "max-file": "3" }, name);
      assert.equal(inputs["wait"], true, name);
      assert.ok(inputs["healthcheck"], name);
    }
  });

  it("checks each container's health by HTTP, by its spec's command or by the database's command", async () => {
    createStore({
      enabledServices: ["inventory", "orders", "storefront"],
      specs: new Map<string, ServiceSpec>([
        ["inventory", { port: 3000, database: true }],
        ["orders", { port: 4000, health: { path: "/alive" } }],
        ["storefront", { port: 5000, health: { command: ["/bare", "--health"] } }],
      ]),
    });
    const asked = async (name: string): Promise<string> => {
      const { healthcheck } = (await resource(CONTAINER, name)).inputs;
      return (healthcheck as { readonly tests: readonly string[] }).tests.slice(-2).join(" ");
    };
    assert.equal(await asked("gateway"), "8404 /healthz");
    assert.equal(await asked("inventory-database"), "inventory inventory");
    assert.equal(await asked("inventory-0"), "3000 /readyz");
    assert.equal(await asked("orders-0"), "4000 /alive");
    assert.equal(await asked("storefront-0"), "/bare --health");
  });

  it("limits the processes of every running container", async () => {
    createStore();
    const { inputs } = await resource(COMMAND, "process-limits");
    const limits = [...String(inputs["create"]).matchAll(/ '(\d+)' '([^']+)'/g)];
    assert.deepEqual(Object.fromEntries(limits.map(([, limit = "", ids]) => [limit, ids])), {
      128: "inventory-0-id orders-0-id storefront-0-id",
      256: "inventory-database-id orders-database-id",
      512: "gateway-id",
    });
    assert.deepEqual(inputs["environment"], { DOCKER_HOST: "unix:///test.sock" });
  });

  it("reloads the gateway for each new configuration and waits for the reload", async () => {
    createStore();
    const first = (await resource(COMMAND, "gateway-reload")).inputs["create"];
    reset();
    createStore({ enabledServices: ["inventory"] });
    const second = (await resource(COMMAND, "gateway-reload")).inputs["create"];
    assert.match(
      String(first),
      /^set -- 'gateway-id' '[0-9a-f]{16}' 'inventory-network-1234567=' 'orders-network-1234567=' 'storefront-network-1234567=gateway'\n[^]*\n# gateway-config-id\n$/,
    );
    assert.notEqual(first, second);
  });

  it("checks that the port is free before the gateway is replaced", async () => {
    createStore();
    const script = String((await resource(COMMAND, "gateway-port")).inputs["create"]);
    assert.match(
      script,
      /^set -- '[^']+' 'gateway-config-1234567' '127\.0\.0\.1:8081:8080' '8081'\n/,
    );
    assert.match(script, /docker run --rm --publish/);
  });

  it("passes the configured variables and secret files to a service", async () => {
    createStore({
      environment: { orders: { SAGA_POLL_MS: "100", DEMO_DATA: "false" } },
      secrets: { orders: { API_KEY: pulumi.secret("s3cret") } },
    });
    const { inputs } = await resource(CONTAINER, "orders-0");
    const variables = inputs["envs"] as string[];
    assert.ok(variables.includes("SAGA_POLL_MS=100"));
    assert.ok(variables.includes("DEMO_DATA=false") && !variables.includes("DEMO_DATA=true"));
    assert.ok(variables.includes("API_KEY_FILE=/run/secrets-orders-secrets/API_KEY"));
    for (const { name, inputs: given } of await runningContainers())
      assert.doesNotMatch(JSON.stringify([given["envs"], given["labels"]]), /s3cret/, name);
    const writer = await resource(COMMAND, "orders-secrets");
    assert.match(JSON.stringify(writer.inputs["stdin"]), /set -- '\/files' 'API_KEY' 's3cret'\\n/);
    // A changed secret replaces the command that writes it, and with the label the instance.
    assert.match(
      JSON.stringify(inputs["labels"]),
      /"label":"dev\.store\.secrets","value":"orders-secrets-id"/,
    );
    assert.doesNotMatch(
      JSON.stringify((await resource(CONTAINER, "inventory-0")).inputs),
      /API_KEY|SAGA_POLL_MS|dev\.store\.secrets/,
    );
  });

  it("passes the OTLP endpoint to every service if there is one", async () => {
    const withEndpoint = async (): Promise<string[]> =>
      (await runningContainers())
        .filter(({ inputs }) => JSON.stringify(inputs["envs"] ?? []).includes("OTEL_"))
        .map(({ name }) => name)
        .sort();
    createStore();
    assert.deepEqual(await withEndpoint(), []);
    reset();
    createStore({ otlpEndpoint: "http://collector:4318" });
    assert.deepEqual(await withEndpoint(), ["inventory-0", "orders-0", "storefront-0"]);
    assert.ok(
      ((await resource(CONTAINER, "orders-0")).inputs["envs"] as string[]).includes(
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
      ),
    );
  });

  it("passes its port, database, dependencies and drain time to a service", async () => {
    createStore();
    assert.deepEqual((await resource(CONTAINER, "orders-0")).inputs["envs"], [
      "PORT=3000",
      "DRAIN_SECONDS=7",
      "DATABASE_POOL_SIZE=10",
      "INVENTORY_URL=http://inventory:3000",
      "DEMO_DATA=true",
      "DATABASE_HOST=orders-database",
      "DATABASE_PORT=5432",
      "DATABASE_NAME=orders",
      "DATABASE_USER=orders",
      "DATABASE_PASSWORD_FILE=/run/secrets/database-password",
      "STAFF_TOKENS_FILE=/run/secrets-staff-tokens/STAFF_TOKENS",
      "CALLERS_FILE=/run/secrets-orders-calls/CALLERS",
      "INVENTORY_TOKEN_FILE=/run/secrets-orders-calls/INVENTORY_TOKEN",
    ]);
    assert.equal((await resource(CONTAINER, "orders-0")).inputs["destroyGraceSeconds"], 17);
    assert.deepEqual((await resource(CONTAINER, "storefront-0")).inputs["envs"], [
      "PORT=3000",
      "DRAIN_SECONDS=1",
      "GATEWAY_URL=http://gateway",
    ]);
  });

  it("runs the configured number of instances", async () => {
    createStore({ replicas: { inventory: 3 } });
    const names = (await runningContainers())
      .map(({ name }) => name)
      .filter((name) => /^inventory-\d$/.test(name));
    assert.deepEqual(names.sort(), ["inventory-0", "inventory-1", "inventory-2"]);
  });

  it("routes requests to the enabled services only", async () => {
    createStore({ enabledServices: ["inventory"] });
    const config = String((await resource(COMMAND, "gateway-config")).inputs["stdin"]);
    assert.match(config, /\/api\/inventory\/ inventory$/m);
    assert.doesNotMatch(config, /backend orders|backend storefront/);
  });

  it("labels everything with the project and the stack", async () => {
    createStore();
    for (const type of [CONTAINER, NETWORK, VOLUME]) {
      for (const { name, inputs } of await resources(type)) {
        const labels = inputs["labels"] as { label: string; value: string }[];
        assert.deepEqual(
          labels.slice(0, 2),
          [
            { label: "dev.store.project", value: "store" },
            { label: "dev.store.stack", value: "test" },
          ],
          name,
        );
      }
    }
  });
});

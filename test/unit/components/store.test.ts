import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { DatabaseData } from "../../../components/database/database";
import { LocalHost } from "../../../components/host/localHost";
import { hashOfToken } from "../../../components/staffTokens";
import { Store } from "../../../components/store";
import type { StoreArgs } from "../../../components/storeArgs";
import { ServiceSpec } from "../../../services/spec";
import {
  addLocalImage,
  COMMAND,
  CONTAINER,
  NETWORK,
  promiseOf,
  Registered,
  REMOTE_IMAGE,
  reset,
  resource,
  resources,
  setMocks,
  VOLUME,
} from "../mocks";

describe("Store", () => {
  before(setMocks);
  beforeEach(reset);

  function store(args: Partial<StoreArgs> = {}): Store {
    const specs = new Map<string, ServiceSpec>([
      [
        "inventory",
        {
          ...kit,
          ...{
            routes: ["/api/inventory"],
            database: true,
            secrets: ["STAFF_TOKENS"],
            egress: true,
          },
        },
      ],
      [
        "orders",
        {
          ...kit,
          routes: ["/api/orders"],
          database: true,
          secrets: ["STAFF_TOKENS"],
          needs: ["inventory"],
          drainSeconds: 7,
        },
      ],
      ["storefront", { ...kit, routes: ["/"], network: "edge" }],
    ]);
    return new Store("store", {
      host: new LocalHost("local", { dockerHost: "unix:///test.sock" }),
      passwords: new random.Provider("passwords"),
      specs,
      enabledServices: [...specs.keys()],
      images: {
        node: "node:26.10.0-slim",
        postgres: "postgres:18.4",
        haproxy: "haproxy:3.0.11",
        lego: "goacme/lego:v5.6.0",
      },
      source: { url: "https://example.org/store.git", revision: "abc" },
      httpPort: 8081,
      requestLimit: 100,
      connectionLimit: 500,
      demoData: true,
      ...args,
    });
  }
  const kit: ServiceSpec = {
    port: 3000,
    image: { base: "packages/kit" },
    live: { mounts: { src: "/app/service/src" }, command: ["node", "--watch", "src/main.ts"] },
  };
  const running = async (): Promise<Registered[]> =>
    (await resources(CONTAINER)).filter(({ inputs }) => inputs["start"] !== false);

  it("publishes no port but the gateway's, on the loopback interface", async () => {
    store();
    const published = (await running()).filter(({ inputs }) => inputs["ports"] !== undefined);
    assert.deepEqual(
      published.map(({ name, inputs }) => [name, inputs["ports"]]),
      [["gateway", [{ internal: 8080, external: 8081, ip: "127.0.0.1" }]]],
    );
  });

  it("builds with the daemon's own builder, whatever builder is current", async () => {
    store();
    const builds = (await resources(REMOTE_IMAGE)).flatMap(({ inputs }) => inputs["build"] ?? []);
    assert.equal(builds.length, 4);
    for (const build of builds) {
      assert.equal((build as Record<string, unknown>)["builder"], "default");
    }
  });

  it("names build secrets, which don't change the content tag", async () => {
    const secrets = { token: { environment: "TOKEN" }, npmrc: { file: "../../.npmrc" } };
    const build = async (image: ServiceSpec["image"]) => {
      reset();
      store({ enabledServices: ["inventory"], specs: new Map([["inventory", { ...kit, image }]]) });
      return (await resources(REMOTE_IMAGE)).find(({ name }) => /^inventory-image:/.test(name));
    };
    const without = await build({ base: "packages/kit" });
    const { name, inputs } = (await build({ base: "packages/kit", secrets })) ?? {};
    assert.equal(name, without?.name);
    assert.deepEqual((inputs?.["build"] as Record<string, unknown>)["secrets"], [
      { id: "token", env: "TOKEN" },
      { id: "npmrc", src: ".npmrc" },
    ]);
  });

  it("hardens every running container", async () => {
    store();
    const containers = await running();
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
    store({
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
    store();
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
    store();
    const first = (await resource(COMMAND, "gateway-reload")).inputs["create"];
    reset();
    store({ enabledServices: ["inventory"] });
    const second = (await resource(COMMAND, "gateway-reload")).inputs["create"];
    assert.match(
      String(first),
      /^set -- 'gateway-id' '[0-9a-f]{16}' 'inventory-network-1234567=' 'orders-network-1234567=' 'storefront-network-1234567=gateway'\n[^]*\n# gateway-config-id\n$/,
    );
    assert.notEqual(first, second);
  });

  it("checks that the port is free before the gateway is replaced", async () => {
    store();
    const script = String((await resource(COMMAND, "gateway-port")).inputs["create"]);
    assert.match(
      script,
      /^set -- '[^']+' 'gateway-config-1234567' '127\.0\.0\.1:8081:8080' '8081'\n/,
    );
    assert.match(script, /docker run --rm --publish/);
  });

  it("connects each container to its own networks only", async () => {
    store();
    const networks = Object.fromEntries(
      (await running()).map(({ name, inputs }) => [
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
    store();
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
    store({ host, https: { names: ["localhost"], port: 8443, hstsSeconds: 0, certificate } });
    const open = (await resources(NETWORK)).filter(({ inputs }) => inputs["internal"] !== true);
    const ids = await Promise.all(closed.map((id) => promiseOf(pulumi.output(id))));
    assert.deepEqual(ids.sort(), open.map(({ name }) => `${name}-id`).sort());
    assert.deepEqual(ids, ["certificates-id", "edge-id", "inventory-egress-id"]);
  });

  it("gives a caller a token for each service that it calls, and the called one its hash", async () => {
    store();
    const written = async (name: string): Promise<string> =>
      JSON.stringify((await resource(COMMAND, name)).inputs["stdin"]);
    const orders = await written("orders-calls");
    const [, token = ""] = /'INVENTORY_TOKEN' '([0-9a-f]{64})'/.exec(orders) ?? [];
    assert.notEqual(token, "");
    assert.match(orders, /'CALLERS' ''/);
    const hash = createHash("sha256").update(token).digest("hex");
    const inventory = await written("inventory-calls");
    assert.ok(inventory.includes(`'CALLERS' 'orders ${hash}\\n'`), inventory);
    assert.ok(!inventory.includes(token));
    const environment = (name: string) => resource(CONTAINER, name).then((r) => r.inputs["envs"]);
    assert.ok(
      String(await environment("orders-0")).includes(
        "INVENTORY_TOKEN_FILE=/run/secrets-orders-calls/INVENTORY_TOKEN",
      ),
    );
    assert.match(
      String(await environment("inventory-0")),
      /CALLERS_FILE=\/run\/secrets-inventory-calls\/CALLERS/,
    );
    assert.doesNotMatch(String(await environment("storefront-0")), /CALLERS|TOKEN/);
  });

  it("has a token of its own for each pair of services, and replaces no container for a new caller", async () => {
    const services = (...callers: string[]) => {
      reset();
      const specs = new Map<string, ServiceSpec>([
        ["inventory", kit],
        ["billing", kit],
        ...callers.map((name) => [name, { ...kit, dependsOn: ["inventory", "billing"] }] as const),
      ]);
      store({ specs, enabledServices: [...specs.keys()] });
    };
    services("orders");
    const before = (await resource(CONTAINER, "inventory-0")).inputs;
    services("orders", "shipping");
    assert.deepEqual((await resource(CONTAINER, "inventory-0")).inputs, before);
    const tokens = ["orders", "shipping"].map(async (caller) =>
      JSON.stringify((await resource(COMMAND, `${caller}-calls`)).inputs["stdin"]).match(
        /[0-9a-f]{64}/g,
      ),
    );
    assert.equal(new Set((await Promise.all(tokens)).flat()).size, 4);
    const callers = JSON.stringify((await resource(COMMAND, "inventory-calls")).inputs["stdin"]);
    assert.match(callers, /'orders [0-9a-f]{64}\\nshipping [0-9a-f]{64}\\n'/);
  });

  it("passes passwords as secret files, never as environment variables", async () => {
    store();
    for (const { name, inputs } of await running()) {
      assert.doesNotMatch(
        JSON.stringify([inputs["envs"], inputs["command"], inputs["labels"]]),
        /password-of/,
        name,
      );
    }
    const writer = await resource(COMMAND, "orders-database-secrets");
    assert.doesNotMatch(String(writer.inputs["create"]), /password-of/);
    assert.match(
      JSON.stringify(writer.inputs["stdin"]),
      /set -- '\/files' 'database-password' 'password-of-orders-data-password'\\n/,
    );
    const { inputs } = await resource(CONTAINER, "orders-0");
    assert.deepEqual(inputs["volumes"], [
      {
        volumeName: "orders-database-secrets-1234567",
        containerPath: "/run/secrets",
        readOnly: true,
      },
      {
        volumeName: "staff-tokens-1234567",
        containerPath: "/run/secrets-staff-tokens",
        readOnly: true,
      },
      {
        volumeName: "orders-calls-1234567",
        containerPath: "/run/secrets-orders-calls",
        readOnly: true,
      },
    ]);
  });

  it("sets a database's role after its password was written, and replaces no database for it", async () => {
    store();
    const role = await resource(COMMAND, "orders-database-role");
    const script = String(role.inputs["create"]);
    assert.match(script, /^docker exec orders-database-id sh -c '/);
    assert.match(script, / 'service-role' 'orders' 'orders' '\/run\/secrets\/database-password'\n/);
    // Another password replaces the command that writes it, and with the comment runs this one.
    assert.match(script, /\n# orders-database-secrets-id\n$/);
    assert.doesNotMatch(script, /password-of/);
    const { inputs } = await resource(CONTAINER, "orders-database");
    assert.doesNotMatch(JSON.stringify(inputs), /orders-database-secrets-id/);
  });

  it("mounts one file with the staff tokens' hashes into each service whose spec lists it", async () => {
    const ana = hashOfToken("token-of-ana");
    const { staffToken } = store({ staffTokens: { ana } });
    assert.equal(await pulumi.isSecret(staffToken ?? assert.fail()), true);
    const having = (await running()).filter(({ inputs }) =>
      JSON.stringify(inputs["envs"] ?? []).includes("STAFF_TOKENS"),
    );
    assert.deepEqual(having.map(({ name }) => name).sort(), ["inventory-0", "orders-0"]);
    const mounting = (await resources(CONTAINER)).filter(({ inputs }) =>
      JSON.stringify(inputs["volumes"] ?? []).includes("staff-tokens"),
    );
    assert.deepEqual(mounting.map(({ name }) => name).sort(), ["inventory-0", "orders-0"]);
    const { inputs } = await resource(COMMAND, "staff-tokens");
    const first = hashOfToken("password-of-staff-token");
    const [anas, firsts] = [ana, first].map((hash) => hash.replace("sha256:", ""));
    assert.ok(
      JSON.stringify(inputs["stdin"]).includes(
        `'/files' 'STAFF_TOKENS' 'ana ${anas}\\nstaff ${firsts}\\n'\\n`,
      ),
    );
    // No service and no file of the host has a token.
    for (const { name, inputs: given } of await resources(COMMAND))
      assert.doesNotMatch(JSON.stringify(given), /password-of-staff-token/, name);
  });

  it("leaves out the first staff token after it was removed", async () => {
    const ana = hashOfToken("token-of-ana");
    assert.equal(store({ staffTokens: { ana, staff: "removed" } }).staffToken, undefined);
    const { inputs } = await resource(COMMAND, "staff-tokens");
    const stdin = JSON.stringify(inputs["stdin"]);
    assert.match(stdin, /'STAFF_TOKENS' 'ana [0-9a-f]{64}\\n'\\n/);
    assert.doesNotMatch(stdin, /staff [0-9a-f]|removed/);
  });

  it("gives the first staff token itself to a service that was written before there were several", async () => {
    const specs = new Map<string, ServiceSpec>([
      ["inventory", { ...kit, secrets: ["STAFF_TOKEN"] }],
    ]);
    store({ specs, enabledServices: ["inventory"] });
    const writer = await resource(COMMAND, "staff-token");
    assert.match(
      JSON.stringify(writer.inputs["stdin"]),
      /set -- '\/files' 'STAFF_TOKEN' 'password-of-staff-token'\\n/,
    );
  });

  it("passes the configured variables and secret files to a service", async () => {
    store({
      environment: { orders: { SAGA_POLL_MS: "100", DEMO_DATA: "false" } },
      secrets: { orders: { API_KEY: pulumi.secret("s3cret") } },
    });
    const { inputs } = await resource(CONTAINER, "orders-0");
    const variables = inputs["envs"] as string[];
    assert.ok(variables.includes("SAGA_POLL_MS=100"));
    assert.ok(variables.includes("DEMO_DATA=false") && !variables.includes("DEMO_DATA=true"));
    assert.ok(variables.includes("API_KEY_FILE=/run/secrets-orders-secrets/API_KEY"));
    for (const { name, inputs: given } of await running())
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
      (await running())
        .filter(({ inputs }) => JSON.stringify(inputs["envs"] ?? []).includes("OTEL_"))
        .map(({ name }) => name)
        .sort();
    store();
    assert.deepEqual(await withEndpoint(), []);
    reset();
    store({ otlpEndpoint: "http://collector:4318" });
    assert.deepEqual(await withEndpoint(), ["inventory-0", "orders-0", "storefront-0"]);
    assert.ok(
      ((await resource(CONTAINER, "orders-0")).inputs["envs"] as string[]).includes(
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
      ),
    );
  });

  it("writes no file with the staff token if no enabled service lists it", async () => {
    store({ enabledServices: ["storefront"] });
    assert.deepEqual(
      (await resources(VOLUME)).map(({ name }) => name).filter((name) => name.includes("token")),
      [],
    );
  });

  it("passes its port, database, dependencies and drain time to a service", async () => {
    store();
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

  it("keeps the data of services that aren't enabled", async () => {
    store({ enabledServices: ["storefront"] });
    assert.deepEqual((await running()).map(({ name }) => name).sort(), ["gateway", "storefront-0"]);
    const volumes = (await resources(VOLUME))
      .map(({ name }) => name)
      .filter((name) => name.endsWith("-data"));
    assert.deepEqual(volumes.sort(), ["inventory-data", "orders-data"]);
  });

  it("runs the configured number of instances", async () => {
    store({ replicas: { inventory: 3 } });
    const names = (await running())
      .map(({ name }) => name)
      .filter((name) => /^inventory-\d$/.test(name));
    assert.deepEqual(names.sort(), ["inventory-0", "inventory-1", "inventory-2"]);
  });

  describe("shares a database's connections among the instances", function () {
    // The hook registers the store sixteen times.
    const most = 16;
    /** Environment of an instance and inputs of the database, by the number of instances. */
    const withReplicas = async (replicas: number) => {
      reset();
      store({ replicas: { inventory: replicas } });
      const instance = (await resource(CONTAINER, "inventory-0")).inputs;
      const size = /DATABASE_POOL_SIZE=(\d+)/.exec(String(instance["envs"]))?.[1];
      const database = (await resource(CONTAINER, "inventory-database")).inputs;
      const connections = /max_connections=(\d+)/.exec(String(database["command"]))?.[1];
      return {
        instance,
        database,
        taken: replicas * (Number(size) + 1),
        most: Number(connections),
      };
    };
    let by: Awaited<ReturnType<typeof withReplicas>>[];
    before(async () => {
      by = [];
      for (let replicas = 1; replicas <= most; replicas++) by.push(await withReplicas(replicas));
    });

    it("leaves connections for people while any number of instances replaces any other", () => {
      for (const [i, old] of by.entries()) {
        for (const [j, next] of by.entries()) {
          const left = old.most - old.taken - next.taken;
          assert.ok(left >= 4, `${i + 1} to ${j + 1} replicas leave ${left}`);
        }
      }
    });

    it("replaces neither the database nor up to four instances when their number changes", () => {
      assert.equal(new Set(by.map(({ database }) => JSON.stringify(database))).size, 1);
      const instances = by.map(({ instance }) => JSON.stringify(instance));
      assert.equal(new Set(instances.slice(0, 4)).size, 1);
      assert.equal(new Set(instances).size, 3, "it changes twice");
    });

    it("uses the configured pool size if there is one", async () => {
      store({ environment: { orders: { DATABASE_POOL_SIZE: "3" } } });
      const { envs } = (await resource(CONTAINER, "orders-0")).inputs;
      assert.match(String(envs), /DATABASE_POOL_SIZE=3(,|$)/);
      assert.doesNotMatch(String(envs), /DATABASE_POOL_SIZE=10/);
    });
  });

  it("runs databases that log no data and detect vanished clients", async () => {
    store();
    const command = String((await resource(CONTAINER, "orders-database")).inputs["command"]);
    // The services' tests run databases with the same settings and test their effect.
    for (const setting of [
      "log_error_verbosity=terse",
      "log_min_error_statement=panic",
      "tcp_keepalives_idle=10",
      "client_connection_check_interval=5s",
    ])
      assert.ok(command.startsWith("postgres,-c,") && command.includes(`,-c,${setting}`), setting);
  });

  it("builds the common base once and tags each image by its content", async () => {
    const { images } = store();
    const built = (await resources(REMOTE_IMAGE)).filter(
      ({ inputs }) => inputs["build"] !== undefined,
    );
    assert.equal(built.length, 4);
    assert.equal(built.filter(({ name }) => name.startsWith("packages-kit-image:")).length, 1);
    for (const { inputs } of built) {
      assert.match(String(inputs["name"]), /^store\/[a-z]+:[0-9a-f]{16}$/);
      const build = inputs["build"] as { context: string; label: Record<string, string> };
      assert.doesNotMatch(build.context, /^\//);
      assert.deepEqual(build.label, {
        "org.opencontainers.image.source": "https://example.org/store.git",
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.version": String(inputs["name"]).split(":")[1],
        "dev.store.project": "store",
      });
    }
    const inventory = built.find(({ inputs }) => inputs["name"] === images["inventory"]);
    const base = built.find(({ name }) => name.startsWith("packages-kit-image:"));
    assert.deepEqual((inventory?.inputs["build"] as { buildArgs: unknown }).buildArgs, {
      BASE_IMAGE: base?.inputs["name"],
    });
  });

  it("builds no image whose tag the daemon has already, for example from another checkout", async () => {
    store();
    const first = (await resources(REMOTE_IMAGE)).find(({ name }) => /^inventory-i/.test(name));
    reset();
    addLocalImage(String(first?.inputs["name"]));
    store();
    const inventory = await resource(REMOTE_IMAGE, first?.name ?? "");
    assert.equal(inventory.inputs["name"], first?.inputs["name"]);
    assert.equal(inventory.inputs["build"], undefined);
    const built = (await resources(REMOTE_IMAGE)).filter(({ inputs }) => "build" in inputs);
    assert.equal(built.length, 3);
  });

  it("mounts the sources of a service in dev mode over an image whose tag doesn't depend on them", async () => {
    store({ devModeServices: ["inventory"] });
    const { inputs } = await resource(CONTAINER, "inventory-0");
    assert.deepEqual(inputs["command"], ["node", "--watch", "src/main.ts"]);
    assert.match(
      JSON.stringify(inputs["volumes"]),
      /"containerPath":"\/app\/service\/src","hostPath":"\/.*services\/inventory\/src","readOnly":true/,
    );
    const image = (await resources(REMOTE_IMAGE)).find(({ name }) =>
      name.startsWith("inventory-image:"),
    );
    assert.match(String(image?.inputs["name"]), /^store\/inventory:live-[0-9a-f]{16}$/);
    assert.equal((await resource(CONTAINER, "orders-0")).inputs["command"], undefined);
  });

  it("refuses dev mode on a host that doesn't have the sources", () => {
    const elsewhere = Object.assign(new LocalHost("elsewhere", { dockerHost: "unix:///a.sock" }), {
      sharesFiles: false,
    });
    assert.throws(
      () => store({ host: elsewhere, devModeServices: ["inventory"] }),
      (error: Error) =>
        pulumi.RunError.isInstance(error) &&
        /^store:live: inventory can't run in dev mode/.test(error.message),
    );
    assert.doesNotThrow(() => store({ host: elsewhere }));
  });

  it("routes requests to the enabled services only", async () => {
    store({ enabledServices: ["inventory"] });
    const config = String((await resource(COMMAND, "gateway-config")).inputs["stdin"]);
    assert.match(config, /\/api\/inventory\/ inventory$/m);
    assert.doesNotMatch(config, /backend orders|backend storefront/);
  });

  it("labels everything with the project and the stack", async () => {
    store();
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

  it("keeps the password a secret", async () => {
    const data = new DatabaseData("data", {
      service: "inventory",
      host: new LocalHost("local", { dockerHost: "unix:///test.sock" }),
    });
    assert.equal(await promiseOf(data.password), "password-of-data-password");
    assert.equal(await pulumi.isSecret(data.password), true);
  });
});

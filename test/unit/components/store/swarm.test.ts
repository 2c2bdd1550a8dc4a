import assert from "node:assert/strict";
import { readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { SshHost } from "../../../../components/host/ssh/sshHost";
import type { StoreArgs } from "../../../../components/storeArgs";
import { duration } from "../../../../components/swarm/swarmService";
import { commonProviders } from "../../host/commonProviders";
import { mockedInOwnFolder } from "../../host/mockedFolder";
import { NETWORK, plain, resource, resources } from "../../mocks";
import { createStore, runningContainers } from "./createStore";

const REPOSITORY = resolve(__dirname, "../../../..");
const REMOTE_COMMAND = "command:remote:Command";
const SERVICE = "docker:index/service:Service";
const SECRET = "docker:index/secret:Secret";
const HOST_KEY = "ssh-ed25519 AAAA";
const registry = {
  address: "r.example",
  namespace: "store",
  push: "user" as const,
  pull: undefined,
};

describe("A Store on several machines", () => {
  mockedInOwnFolder();
  before(() => {
    for (const folder of ["packages", "services"]) symlinkSync(join(REPOSITORY, folder), folder);
  });

  function createSwarm(...workers: readonly string[]): void {
    createSwarmWith({}, workers);
  }

  function createSwarmWith(args: Partial<StoreArgs>, workers: readonly string[]): void {
    const login = { user: "root", hostKey: HOST_KEY };
    const host = new SshHost("host", {
      providers: commonProviders(),
      ...{ address: "192.0.2.1", ...login, privateKey: "PRIVATE", readyMinutes: 15, registry },
      workers: workers.map((address) => ({ address, port: 22, ...login })),
    });
    createStore({
      host,
      publish: { registry, builder: { host: "unix:///test.sock" } },
      replicas: { inventory: 3 },
      ...args,
    });
  }

  interface Task {
    readonly containerSpec: {
      readonly image: string;
      readonly env: Readonly<Record<string, string>>;
      readonly secrets: readonly { readonly fileName: string; readonly secretId: string }[];
      readonly healthcheck: { readonly timeout: string };
    };
    readonly networksAdvanceds: readonly { readonly id: string; readonly aliases?: string[] }[];
    readonly placement: { readonly constraints: readonly string[] };
  }

  async function taskOf(service: string): Promise<Task> {
    return (await resource(SERVICE, service)).inputs["taskSpec"] as Task;
  }

  it("runs the services on the workers, and the gateway and the databases on the first machine", async () => {
    createSwarm("192.0.2.2", "192.0.2.3");
    const services = await resources(SERVICE);
    assert.deepEqual(services.map(({ name }) => name).sort(), [
      "inventory",
      "orders",
      "storefront",
    ]);
    for (const { inputs } of services) {
      assert.deepEqual(inputs["endpointSpec"], { mode: "dnsrr" });
      const { placement, containerSpec } = inputs["taskSpec"] as Task;
      assert.deepEqual(placement.constraints, ["node.labels.dev.store.worker==true"]);
      assert.match(containerSpec.image, /^r\.example\/store\/\w+:[0-9a-f]{16}@/);
    }
    const containers = (await runningContainers()).map(({ name }) => name);
    assert.deepEqual(containers.sort(), ["gateway", "inventory-database", "orders-database"]);
    const { inputs } = await resource(SERVICE, "inventory");
    assert.deepEqual(inputs["mode"], { replicated: { replicas: 3 } });
  });

  it("connects the machines by networks without a way out, except for the gateway's and those of services with egress", async () => {
    createSwarm("192.0.2.2");
    const networks = await resources(NETWORK);
    const kindOf = (inputs: Record<string, unknown>): string =>
      [
        typeof inputs["driver"] === "string" ? inputs["driver"] : "bridge",
        ...["internal", "attachable"].filter((key) => inputs[key] === true),
      ].join(" ");
    assert.deepEqual(
      Object.fromEntries(networks.map(({ name, inputs }) => [name, kindOf(inputs)])),
      {
        edge: "bridge",
        "inventory-egress": "overlay attachable",
        ...Object.fromEntries(
          [
            ...["inventory-network", "orders-network", "storefront-network"],
            ...["inventory-database", "orders-database"],
          ].map((name) => [name, "overlay internal attachable"]),
        ),
      },
    );
    const { networksAdvanceds } = await taskOf("orders");
    assert.deepEqual(networksAdvanceds, [
      { id: "orders-network-id", aliases: ["orders"] },
      { id: "inventory-network-id" },
      { id: "orders-database-id" },
    ]);
  });

  it("gives secrets with long names different names within Swarm's limit", async () => {
    const long = "A_NAME_THAT_IS_ALMOST_AS_LONG_AS_THE_LIMIT_OF_SWARM";
    createSwarmWith({ secrets: { orders: { [`${long}_1`]: "1", [`${long}_2`]: "2" } } }, [
      "192.0.2.2",
    ]);
    const { containerSpec } = await taskOf("orders");
    for (const n of [1, 2])
      assert.ok(containerSpec.secrets.some(({ fileName }) => fileName.endsWith(`/${long}_${n}`)));
    const names = (await resources(SECRET)).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    // Pulumi adds eight characters.
    assert.ok(Math.max(...names.map(({ length }) => length)) <= 64 - 8, names.join());
  });

  it("passes secrets to the services as files in the places that a container has them", async () => {
    createSwarm("192.0.2.2");
    const { containerSpec } = await taskOf("orders");
    const files = containerSpec.secrets.map(({ fileName }) => fileName).sort();
    assert.deepEqual(files, [
      "/run/secrets-orders-calls/CALLERS",
      "/run/secrets-orders-calls/INVENTORY_TOKEN",
      "/run/secrets-staff-tokens/STAFF_TOKENS",
      "database-password",
    ]);
    assert.equal(
      containerSpec.env["INVENTORY_TOKEN_FILE"],
      "/run/secrets-orders-calls/INVENTORY_TOKEN",
    );
    assert.equal(containerSpec.env["DATABASE_PASSWORD_FILE"], "/run/secrets/database-password");
    // The list of the callers of orders is empty, which Swarm refuses.
    const callers = (await resource(SECRET, "orders-calls-CALLERS")).inputs["data"];
    assert.deepEqual(plain(callers), Buffer.from("\n").toString("base64"));
    for (const { inputs, name } of await resources(SECRET))
      assert.notEqual(plain(inputs["data"]), inputs["data"], `${name} is secret`);
  });

  it("reaches an external database from the workers, with the password as a secret of Swarm's", async () => {
    const server = { host: "db.example.org", port: 5432, database: "orders", user: "orders" };
    const orders = { ...server, password: "s3cret", sslMode: "require" } as const;
    createSwarmWith({ externalDatabases: { orders } }, ["192.0.2.2"]);
    const { containerSpec, networksAdvanceds } = await taskOf("orders");
    const file = containerSpec.env["DATABASE_PASSWORD_FILE"];
    assert.match(file ?? "", /^\/run\/secrets-orders-database-[0-9a-f]{8}\/DATABASE_PASSWORD$/);
    assert.ok(containerSpec.secrets.some(({ fileName }) => fileName === file));
    assert.ok(networksAdvanceds.some(({ id }) => id === "orders-egress-id"));
    assert.equal((await resource(NETWORK, "orders-egress")).inputs["driver"], "overlay");
    // A container can't join that network.
    const { inputs } = await resource(REMOTE_COMMAND, "orders-database-check");
    assert.doesNotMatch(String(inputs["create"]), /--network/);
    const containers = (await runningContainers()).map(({ name }) => name);
    assert.deepEqual(containers.sort(), ["gateway", "inventory-database"]);
  });

  it("joins each worker by a secret token, which the last step makes useless", async () => {
    createSwarm("192.0.2.2", "192.0.2.3");
    for (const worker of ["192.0.2.2", "192.0.2.3"]) {
      // Another worker doesn't change it, so that those that have joined needn't answer then.
      const invitation = await resource(REMOTE_COMMAND, `swarm-invitation-${worker}`);
      assert.equal(invitation.inputs["logging"], "none");
      assert.deepEqual((invitation.inputs["triggers"] as string[]).slice(2), [worker]);
      const { inputs } = await resource(REMOTE_COMMAND, `swarm-join-${worker}`);
      assert.equal(plain(inputs["stdin"]), "SWMTKN-1-test 192.0.2.1:2377 fingerprint");
      assert.notEqual(plain(inputs["stdin"]), inputs["stdin"], "it is secret");
      assert.match(String(inputs["delete"]), /docker swarm leave --force/);
      // Another value would make the machines of every existing stack leave their swarm and join it again.
      assert.deepEqual(inputs["triggers"], [worker]);
    }
    const members = String((await resource(REMOTE_COMMAND, "swarm-members")).inputs["create"]);
    assert.match(members, /set -- '\\''node-of-192\.0\.2\.2'\\'' '\\''node-of-192\.0\.2\.3'\\''/);
    assert.match(members, /join-token --rotate/);
  });

  it("knows the workers' host keys while the program runs, for commands that log in meanwhile", async () => {
    createSwarm("192.0.2.2");
    await resources(SERVICE);
    const known = readFileSync(".store/ssh/test/known_hosts", "utf8");
    assert.equal(known, `192.0.2.1 ${HOST_KEY}\n192.0.2.2 ${HOST_KEY}\n`);
  });

  it("closes the ports of the workers to instances with a way out", async () => {
    createSwarm("192.0.2.2");
    const { inputs } = await resource(REMOTE_COMMAND, "firewall-192.0.2.2");
    assert.match(String(inputs["create"]), /docker_gwbridge/);
    const host = String((await resource(REMOTE_COMMAND, "firewall")).inputs["create"]);
    assert.doesNotMatch(host, /inventory-egress-id/);
  });

  it("has no Swarm on one machine", async () => {
    createSwarm();
    assert.deepEqual(await resources(SERVICE), []);
    assert.deepEqual(await resources(SECRET), []);
    const commands = await resources(REMOTE_COMMAND);
    assert.deepEqual(
      commands.filter(({ name }) => name.startsWith("swarm")),
      [],
    );
  });
});

describe("The duration of a Swarm service", () => {
  it("has the form in which the provider reads it back", () => {
    const forms = { 0: "0s", 11: "11s", 60: "1m", 75: "1m15s", 3600: "1h", 3661: "1h1m1s" };
    for (const [seconds, text] of Object.entries(forms))
      assert.equal(duration(Number(seconds)), text);
  });
});

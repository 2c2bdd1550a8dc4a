import assert from "node:assert/strict";
import { COMMAND, CONTAINER, reset, resource, resources, setMocks, VOLUME } from "../../mocks";
import { runningContainers, createStore } from "./createStore";

describe("The databases of Store", () => {
  before(setMocks);
  beforeEach(reset);

  it("sets a database's role after its password was written, and replaces no database for it", async () => {
    createStore();
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

  it("keeps the data of services that aren't enabled", async () => {
    createStore({ enabledServices: ["storefront"] });
    assert.deepEqual((await runningContainers()).map(({ name }) => name).sort(), [
      "gateway",
      "storefront-0",
    ]);
    const volumes = (await resources(VOLUME))
      .map(({ name }) => name)
      .filter((name) => name.endsWith("-data"));
    assert.deepEqual(volumes.sort(), ["inventory-data", "orders-data"]);
  });

  describe("shares a database's connections among the instances", function () {
    // The hook registers the store sixteen times.
    const most = 16;
    /** Environment of an instance and inputs of the database, by the number of instances. */
    const withReplicas = async (replicas: number) => {
      reset();
      createStore({ replicas: { inventory: replicas } });
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
      createStore({ environment: { orders: { DATABASE_POOL_SIZE: "3" } } });
      const { envs } = (await resource(CONTAINER, "orders-0")).inputs;
      assert.match(String(envs), /DATABASE_POOL_SIZE=3(,|$)/);
      assert.doesNotMatch(String(envs), /DATABASE_POOL_SIZE=10/);
    });
  });

  it("runs databases that log no data and detect vanished clients", async () => {
    createStore();
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
});

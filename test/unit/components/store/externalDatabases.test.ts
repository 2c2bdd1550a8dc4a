import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseServer } from "../../../../components/database/externalDatabase";
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
import { createStore, runningContainers } from "./createStore";

const server: DatabaseServer = {
  ...{ host: "db.example.org", port: 5433, database: "sales", user: "orders" },
  ...{ password: pulumi.secret("s3cret"), sslMode: "verify-full" },
};

/** Creates a store in which the database of orders is elsewhere. */
async function create(changes: Partial<DatabaseServer> = {}): Promise<Instance> {
  reset();
  createStore({ externalDatabases: { orders: { ...server, ...changes } } });
  return (await resource(CONTAINER, "orders-0")).inputs as unknown as Instance;
}

interface Instance {
  readonly envs: readonly string[];
  readonly labels: readonly { readonly label: string; readonly value: string }[];
  readonly networksAdvanced: readonly { readonly name: string }[];
  readonly volumes: readonly { readonly volumeName: string }[];
}

describe("A Store with an external database", () => {
  before(setMocks);

  it("has no container for it, and keeps the data of the one that it may have had", async () => {
    await create();
    assert.deepEqual((await runningContainers()).map(({ name }) => name).sort(), [
      ...["gateway", "inventory-0", "inventory-database", "orders-0", "storefront-0"],
    ]);
    const names = async (type: string) => (await resources(type)).map(({ name }) => name);
    assert.ok((await names(VOLUME)).includes("orders-data"));
    assert.ok(
      (await names("random:index/randomPassword:RandomPassword")).includes("orders-data-password"),
    );
    assert.ok(!(await names(NETWORK)).includes("orders-database"));
    assert.ok(!(await names(COMMAND)).includes("orders-database-role"));
  });

  it("gives the service the connection, with the password and the root certificate as files", async () => {
    const { envs, volumes, networksAdvanced } = await create({ root: "ROOT" });
    const folder = /DATABASE_PASSWORD_FILE=(\/run\/secrets-orders-database-[0-9a-f]{8})\//.exec(
      envs.join(),
    )?.[1];
    assert.deepEqual(envs.filter((one) => one.startsWith("DATABASE_")).sort(), [
      ...["DATABASE_HOST=db.example.org", "DATABASE_NAME=sales"],
      ...[`DATABASE_PASSWORD_FILE=${folder}/DATABASE_PASSWORD`, "DATABASE_POOL_SIZE=10"],
      ...["DATABASE_PORT=5433", "DATABASE_SSLMODE=verify-full"],
      ...[`DATABASE_SSLROOTCERT_FILE=${folder}/DATABASE_SSLROOTCERT`, "DATABASE_USER=orders"],
    ]);
    const volume = `${folder?.replace("/run/secrets-", "")}-1234567`;
    assert.ok(volumes.some(({ volumeName }) => volumeName === volume));
    assert.ok(networksAdvanced.some(({ name }) => name === "orders-egress-1234567"));
    for (const { inputs, name } of await resources(CONTAINER))
      assert.doesNotMatch(JSON.stringify(inputs), /s3cret|ROOT"/, name);
  });

  it("checks the database on the service's network, with the password by standard input", async () => {
    await create({ sslMode: "require" });
    const { inputs } = await resource(COMMAND, "orders-database-check");
    assert.match(
      String(inputs["create"]),
      /^docker run --interactive .*--network orders-egress-1234567 --entrypoint sh sha256:database -s$/,
    );
    assert.match(
      JSON.stringify(inputs["stdin"]),
      /set -- 'orders' 'db.example.org' '5433' 'sales' 'orders' 's3cret' 'require' ''\\n/,
    );
    assert.notEqual(inputs["stdin"], String(inputs["stdin"]), "it is secret");
  });

  it("has the gateway's image tell the public authorities only if the server's own isn't given", async () => {
    const readsRoots = async (changes: Partial<DatabaseServer>): Promise<boolean> => {
      await create(changes);
      const { inputs } = await resource(COMMAND, "orders-database-check");
      return /--entrypoint cat sha256:gateway \/etc\/ssl\/certs\//.test(String(inputs["create"]));
    };
    assert.equal(await readsRoots({}), true);
    assert.equal(await readsRoots({ root: "ROOT" }), false);
    assert.equal(await readsRoots({ sslMode: "require" }), false);
  });

  it("replaces the instances for another password, and writes another server's into files of its own", async () => {
    const label = ({ labels }: Instance) =>
      labels.find((one) => one.label === "dev.store.secrets")?.value;
    const first = await create();
    assert.match(label(first) ?? "", /^orders-database-[0-9a-f]{8}-id$/);
    const rotated = await create({ password: pulumi.secret("other") });
    assert.deepEqual(rotated.envs, first.envs);
    for (const changes of [{ host: "db2" }, { port: 1 }, { database: "x" }, { user: "orders_2" }])
      assert.notEqual(label(await create(changes)), label(first), JSON.stringify(changes));
  });

  it("changes nothing of the other services, except for one without egress, which gets a way out", async () => {
    reset();
    createStore();
    const before = (await resource(CONTAINER, "inventory-0")).inputs;
    await create();
    assert.deepEqual((await resource(CONTAINER, "inventory-0")).inputs, before);
    reset();
    createStore({ externalDatabases: { inventory: server } });
    const ways = (await resources(NETWORK)).filter(({ name }) => name.endsWith("-egress"));
    assert.deepEqual(
      ways.map(({ name }) => name),
      ["inventory-egress"],
    );
  });
});

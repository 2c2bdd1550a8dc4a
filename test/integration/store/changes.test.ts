import assert from "node:assert/strict";
import { eventually } from "../support/eventually";
import { Load } from "../support/load";
import { run } from "../../support/run";
import { TestStore } from "../support/testStore";
import { assertNoChange, changed } from "./changes";

/** The tests build on each other, because `up` is too slow to start from nothing in each. */
describe("./store up after a change", function () {
  this.bail(true);
  let store: TestStore;

  before(async () => {
    store = await TestStore.create(SERVICES);
    await store.succeed("up");
  });
  after(() => store.dispose());

  it("scales a service up, which distributes the requests, and down again", async () => {
    store.configure({ ...SERVICES, replicas: { inventory: 3 } });
    await store.succeed("up");
    const inventory = async (): Promise<string[]> =>
      (await store.containers("status=running"))
        .filter((c) => c.service === "inventory" && c.role === "service")
        .map((c) => c.id);
    assert.equal((await inventory()).length, 3);

    const load = Load.on(`${store.url}/api/inventory/products`);
    store.configure(SERVICES);
    await store.succeed("up");
    await store.assertNoneLost(load);
    assert.equal((await inventory()).length, 1);
  });

  it("passes variables and secrets from the configuration to a service, and shows the secrets nowhere", async () => {
    const set = (...args: string[]) => store.pulumi("config", "set", "--path", ...args);
    await set("environment.billing.LOG_LEVEL", "debug");
    await set("secrets.billing.A_KEY", "s3cret-one", "--secret");
    const before = await store.running();
    await store.succeed("up");
    assert.deepEqual(changed(before, await store.running()), ["billing/service"]);
    const read =
      'process.stdout.write(process.env.LOG_LEVEL + " " + require("fs").readFileSync(process.env.A_KEY_FILE))';
    assert.equal(await store.exec("billing/service", "node", "-e", read), "debug s3cret-one");

    await set("secrets.billing.A_KEY", "s3cret-two", "--secret");
    const output = await store.succeed("up");
    assert.equal(await store.exec("billing/service", "node", "-e", read), "debug s3cret-two");
    const ids = (await store.containers()).map(({ id }) => id);
    const inspected = (await run("docker", ["inspect", ...ids])).output;
    const stackFile = store.read(`Pulumi.${store.stack}.yaml`);
    assert.doesNotMatch([output, inspected, stackFile, store.readAll(".store")].join(), /s3cret/);
  });

  it("runs a service from its sources in dev mode, where a change needs no new image", async () => {
    store.configure({ ...SERVICES, live: ["inventory"] });
    await store.succeed("up");
    const before = await store.running();
    store.edit("services/inventory/src/main.ts", "", 'console.log("live reload works");\n');
    const logged = async (): Promise<boolean> =>
      (await run("docker", ["logs", before.get("inventory/service") ?? ""])).output.includes(
        "live reload works",
      );
    await eventually(logged, "the service didn't restart on the change");
    await eventually(
      async () => (await fetch(`${store.url}/api/inventory/products`)).status === 200,
      "it doesn't answer",
    );
    assert.deepEqual(await store.running(), before);
    // The change doesn't require a new image.
    assertNoChange(await store.succeed("preview"));
    store.configure(SERVICES);
    await store.succeed("up");
  });
});

const SERVICES = { services: ["billing", "inventory"] };

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Load } from "../support/load";
import { run } from "../../support/run";
import { TestStore } from "../support/testStore";
import { makeAwkward } from "./awkwardCheckout";
import { assertNoChange, changed } from "./changes";
import { testDocumentedCommands } from "./documentedCommands";
import { testIsolation } from "./isolation";
import { addPerlService } from "./perlService";
import { testSales } from "./sales";
import { testSecrets } from "./secrets";

/** File of the copy with the review of the store before it is changed. */
const BASE = ".store/base.json";

/** The whole store. The tests build on each other, because `up` is too slow to start from nothing in each. */
describe("the store", function () {
  this.bail(true);
  let store: TestStore;
  let output: string;
  /** Image of the changed service, which no other stack on this machine uses. */
  let changedImage: string;

  before(async () => {
    store = await TestStore.create();
    makeAwkward(store);
    output = await store.succeed("up");
  });
  after(() => store.dispose());

  it("comes up with one command, which prints the URL", async () => {
    assert.match(output, new RegExp(`http://localhost:${store.port}\\b`));
    const page = await fetch(store.url);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    const { items } = await store.json<{ items: { name: string }[] }>("/api/inventory/products");
    const first = items[0] ?? assert.fail("the catalogue is empty");
    assert.ok((await page.text()).includes(first.name), `the page doesn't show ${first.name}`);
  });

  it("serves each service's API with its OpenAPI document", async () => {
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      const document = (await (await fetch(`${store.url}/api/${service}/openapi.json`)).json()) as {
        paths: object;
      };
      const paths = Object.keys(document.paths);
      assert.ok(
        paths.length > 0 && paths.every((path) => `${path}/`.startsWith(`/api/${service}/`)),
        paths.join(),
      );
    }
  });

  it("has a documentation page for each service's API", async () => {
    const overview = await (await fetch(`${store.url}/docs`)).text();
    for (const service of ["inventory", "orders", "billing", "shipping"]) {
      assert.match(overview, new RegExp(`href="/docs/${service}"`));
      const page = await fetch(`${store.url}/docs/${service}`);
      assert.equal(page.status, 200);
      assert.match(await page.text(), new RegExp(`/api/${service}/openapi\\.json`));
    }
  });

  testSales(() => store);
  testIsolation(() => store);
  testSecrets(() => store);

  it("has no changes in a preview, in a refresh and in another up", async () => {
    const before = await store.running();
    const preview = `./store preview ${store.stack} --json > ${BASE}`;
    const { code, output } = await store.command("sh", "-c", preview);
    assert.equal(code, 0, output);
    assert.match(store.read(BASE), /"verdict": "unchanged"/);
    // The change of tokens has rewritten the stack's file.
    assertNoChange(await store.succeed("up"));
    // Skipped without the engine first, then with the engine.
    assert.match(await store.succeed("up"), /everything is unchanged since the last up/);
    assertNoChange(await store.succeed("up", "--refresh"));
    assert.deepEqual(await store.running(), before);
  });

  it("doesn't change the stack's configuration file", () => {
    assert.doesNotMatch(store.read(`Pulumi.${store.stack}.yaml`), /encryptionsalt/);
  });

  it("rolls a changed service out without a failed request, and changes nothing else", async () => {
    const before = await store.running();
    store.edit("services/inventory/src/main.ts", "", "// another content\n");
    const review = await store.succeed("preview", "--markdown", "--base", BASE);
    assert.match(review, /after this request: 1 service replaced$/m);
    assert.match(
      review,
      /\*\*inventory\*\* \| new image [^|]*\| 1 file: `services\/inventory\/src\/main.ts` \| nothing/,
    );
    assert.match(review, /^\| billing, orders, shipping, storefront, gateway \| unchanged/m);

    const load = Load.on(`${store.url}/api/inventory/products`);
    await store.succeed("up");
    const { requests, longestGapMs } = await store.assertNoneLost(load);
    assert.ok(requests > 100, `only ${requests} requests were sent`);
    console.log(`      ${requests} requests, none lost, longest gap ${longestGapMs} ms`);

    const replaced = changed(before, await store.running());
    assert.deepEqual(replaced, ["inventory/service"]);
    changedImage = await imageOf("inventory");
  });

  it("labels an image with its sources", async () => {
    const id = await store.idOf("inventory/service");
    const { output } = await run("docker", ["inspect", "--format", "{{json .Config.Labels}}", id]);
    const labels = JSON.parse(output) as Record<string, string>;
    assert.match(labels["org.opencontainers.image.version"] ?? "", /^[0-9a-f]{16}$/);
    assert.equal(labels["dev.store.project"], "store");
    // The copy has no git repository, so the label for the revision is missing; see the unit tests. An image that isn't changed may be
    // another checkout's, with its label.
    assert.equal(labels["org.opencontainers.image.revision"], undefined);
  });

  it("gives an image its name back that was removed manually, and shows the name meanwhile", async () => {
    await run("docker", ["rmi", "--force", changedImage]);
    assert.ok((await store.succeed("ps")).includes(changedImage));
    assert.match(await store.succeed("up"), /had lost its name: restored/);
    assert.equal(await imageOf("inventory"), changedImage);
  });

  it("runs a new service in another language when its folder is added, without interrupting the others", async () => {
    const before = await store.running();
    addPerlService(store);
    const load = Load.on(`${store.url}/api/inventory/products`);
    await store.succeed("up");
    await store.assertNoneLost(load);
    assert.equal(await (await fetch(`${store.url}/api/greeter/hello`)).text(), "hello from perl\n");
    assert.deepEqual(changed(before, await store.running()), ["greeter/service"]);
    assertNoChange(await store.succeed("preview", "--refresh"));
  });

  it("removes the service when its folder is deleted", async () => {
    rmSync(join(store.folder, "services/greeter"), { recursive: true });
    await store.succeed("up");
    assert.equal((await fetch(`${store.url}/api/greeter/hello`)).status, 404);
    assert.equal(
      (await store.containers()).filter(({ service }) => service === "greeter").length,
      0,
    );
  });

  testDocumentedCommands(() => store);

  it("leaves nothing behind after down --volumes", async () => {
    const down = await store.succeed("down", "--yes", "--volumes");
    assert.deepEqual(await store.left(), []);
    const { code } = await run("docker", ["image", "inspect", changedImage]);
    assert.notEqual(code, 0, `${changedImage} is left\n${down}`);
    const again = await store.succeed("down", "--yes", "--volumes");
    assert.match(again, /no resources/i);
  });

  /** Returns the name of a service's image. */
  async function imageOf(service: string): Promise<string> {
    const id = await store.idOf(`${service}/service`);
    const image = (await run("docker", ["inspect", "--format", "{{.Image}}", id])).output.trim();
    const { output } = await run("docker", ["inspect", "--format", "{{index .RepoTags 0}}", image]);
    assert.match(output, /^store\//);
    return output.trim();
  }
});

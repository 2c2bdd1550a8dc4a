import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LocalHost } from "../../../../components/host/localHost";
import { ServiceSpec } from "../../../../services/spec";
import {
  addLocalImage,
  CONTAINER,
  REMOTE_IMAGE,
  reset,
  resource,
  resources,
  setMocks,
} from "../../mocks";
import { kit, createStore } from "./createStore";

describe("The images of Store", () => {
  before(setMocks);
  beforeEach(reset);

  it("builds with the daemon's own builder, whatever builder is current", async () => {
    createStore();
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
      createStore({
        enabledServices: ["inventory"],
        specs: new Map([["inventory", { ...kit, image }]]),
      });
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

  it("builds the common base once and tags each image by its content", async () => {
    const { images } = createStore();
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
    createStore();
    const first = (await resources(REMOTE_IMAGE)).find(({ name }) => /^inventory-i/.test(name));
    reset();
    addLocalImage(String(first?.inputs["name"]));
    createStore();
    const inventory = await resource(REMOTE_IMAGE, first?.name ?? "");
    assert.equal(inventory.inputs["name"], first?.inputs["name"]);
    assert.equal(inventory.inputs["build"], undefined);
    const built = (await resources(REMOTE_IMAGE)).filter(({ inputs }) => "build" in inputs);
    assert.equal(built.length, 3);
  });

  it("mounts the sources of a service in dev mode over an image whose tag doesn't depend on them", async () => {
    createStore({ devModeServices: ["inventory"] });
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
      () => createStore({ host: elsewhere, devModeServices: ["inventory"] }),
      (error: Error) =>
        pulumi.RunError.isInstance(error) &&
        /^store:live: inventory can't run in dev mode/.test(error.message),
    );
    assert.doesNotThrow(() => createStore({ host: elsewhere }));
  });
});

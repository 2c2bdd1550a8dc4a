import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import assert from "node:assert/strict";
import { PublishedImage } from "../../../components/image/publish/publishedImage";
import { RegistryAccess } from "../../../components/registry/registry";
import { COMMAND, promiseOf, REMOTE_IMAGE, reset, resources, setMocks } from "../mocks";

const login = { username: "store", password: "hidden" };
const registry: RegistryAccess = {
  address: "registry.example.com",
  namespace: "team/store",
  push: { username: "builder", password: "for-pushing" },
  pull: login,
};

describe("PublishedImage", () => {
  before(setMocks);
  beforeEach(reset);

  function publish(where: RegistryAccess): PublishedImage {
    return new PublishedImage(
      "inventory-image",
      {
        imageName: "inventory",
        tag: "0123456789abcdef",
        from: { image: "inventory:1" },
        registry: where,
        builder: "unix:///var/run/docker.sock",
        platform: "linux/amd64",
        commands: new command.Provider("publish"),
        host: new docker.Provider("host", { host: "ssh://host" }),
      },
      {},
    );
  }

  it("passes the push credentials to the command by standard input", async () => {
    const image = publish(registry);
    assert.equal(
      await promiseOf(image.ref),
      "registry.example.com/team/store/inventory:0123456789abcdef",
    );
    const [published] = await resources(COMMAND);
    assert.match(JSON.stringify(published?.inputs["stdin"]), /for-pushing/);
    assert.doesNotMatch(JSON.stringify(published?.inputs["environment"]), /for-pushing/);
    assert.equal((await resources(REMOTE_IMAGE)).length, 1);
  });

  it("is published again when the registry's address changes", async () => {
    publish(registry);
    const [before] = await resources(COMMAND);
    reset();
    publish({ ...registry, address: "mine.azurecr.io" });
    const [after] = await resources(COMMAND);
    assert.notDeepEqual(after?.inputs["triggers"], before?.inputs["triggers"]);
  });

  it("is published again when the registry has been recreated", async () => {
    publish({ ...registry, generation: "2026-01-02" });
    const [published] = await resources(COMMAND);
    assert.deepEqual(published?.inputs["triggers"], ["registry.example.com", "2026-01-02"]);
  });
});

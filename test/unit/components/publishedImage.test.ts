import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import assert from "node:assert/strict";
import { PublishedImage } from "../../../components/image/publish/publishedImage";
import { Publishing, RegistryAccess } from "../../../components/registry/registry";
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

  function publish(
    where: RegistryAccess,
    builder: Publishing["builder"] = { host: "unix:///var/run/docker.sock" },
  ): PublishedImage {
    return new PublishedImage(
      "inventory-image",
      {
        imageName: "inventory",
        tag: "0123456789abcdef",
        from: { image: "inventory:1" },
        registry: where,
        builder,
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

  it("is built by a daemon with TLS, too", async () => {
    publish(registry, { host: "tcp://builder:2376", certPath: "/certificates" });
    const [published] = await resources(COMMAND);
    const { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH } = published?.inputs[
      "environment"
    ] as Record<string, string>;
    assert.deepEqual(
      { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH },
      {
        DOCKER_HOST: "tcp://builder:2376",
        DOCKER_TLS_VERIFY: "1",
        DOCKER_CERT_PATH: "/certificates",
      },
    );
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

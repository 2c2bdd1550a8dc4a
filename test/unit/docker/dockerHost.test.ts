import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDockerHost } from "@store/docker/dockerHost";

describe("the local Docker daemon's address", () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), "docker-home-"))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const hostIn = (env: NodeJS.ProcessEnv) => localDockerHost(env, home).host;
  const context = (name: string, meta: object, folder = ".docker") => {
    const id = createHash("sha256").update(name).digest("hex");
    mkdirSync(join(home, folder, "contexts/meta", id), { recursive: true });
    writeFileSync(join(home, folder, "contexts/meta", id, "meta.json"), JSON.stringify(meta));
  };
  const at = (host: string) => ({ Endpoints: { docker: { Host: host } } });
  const configure = (text: string, folder = ".docker") => {
    mkdirSync(join(home, folder), { recursive: true });
    writeFileSync(join(home, folder, "config.json"), text);
  };

  it("is the usual socket where nothing is set, and for the context default", () => {
    assert.equal(hostIn({}), "unix:///var/run/docker.sock");
    context("b", at("unix:///b"));
    configure('{"currentContext":"b"}');
    assert.equal(hostIn({ DOCKER_CONTEXT: "default" }), "unix:///var/run/docker.sock");
    configure("{}");
    assert.equal(hostIn({}), "unix:///var/run/docker.sock");
  });

  it("is that of DOCKER_HOST, before DOCKER_CONTEXT, before the context in use", () => {
    context("a", at("unix:///a"));
    context("b", at("unix:///b"));
    configure('{"currentContext":"b"}');
    assert.deepEqual(localDockerHost({}, home), {
      host: "unix:///b",
      hostFrom: "the docker context b",
    });
    assert.equal(hostIn({ DOCKER_CONTEXT: "a" }), "unix:///a");
    const env = { DOCKER_HOST: "tcp://127.0.0.1:2375", DOCKER_CONTEXT: "a" };
    assert.equal(hostIn(env), "tcp://127.0.0.1:2375");
  });

  it("is looked up in another folder where DOCKER_CONFIG names one", () => {
    context("c", at("unix:///c"), "elsewhere");
    configure('{"currentContext":"c"}', "elsewhere");
    assert.equal(hostIn({ DOCKER_CONFIG: join(home, "elsewhere") }), "unix:///c");
  });

  it("is refused, with the file's name, where docker's configuration is broken", () => {
    configure("{");
    assert.throws(() => hostIn({}), /config\.json is not valid JSON/);
    rmSync(join(home, ".docker/config.json"));
    mkdirSync(join(home, ".docker/config.json"));
    assert.throws(() => hostIn({}), /configuration can't be read: .*EISDIR/);
  });

  it("is refused for a context that isn't there or has no host", () => {
    assert.throws(() => hostIn({ DOCKER_CONTEXT: "gone" }), /context gone .* does not exist/);
    context("empty", {});
    assert.throws(() => hostIn({ DOCKER_CONTEXT: "empty" }), /names no host/);
  });
});

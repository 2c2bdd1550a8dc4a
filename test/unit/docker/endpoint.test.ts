import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveDockerEndpoint } from "@store/docker/endpoint";

describe("resolveDockerEndpoint", () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), "docker-home-"))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const hostIn = (env: NodeJS.ProcessEnv) => resolveDockerEndpoint(env, home).host;
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

  it("defaults to the socket, also for the context default", () => {
    assert.equal(hostIn({}), "unix:///var/run/docker.sock");
    context("b", at("unix:///b"));
    configure('{"currentContext":"b"}');
    assert.equal(hostIn({ DOCKER_CONTEXT: "default" }), "unix:///var/run/docker.sock");
    configure("{}");
    assert.equal(hostIn({}), "unix:///var/run/docker.sock");
  });

  it("prefers DOCKER_HOST to DOCKER_CONTEXT and that to the current context", () => {
    context("a", at("unix:///a"));
    context("b", at("unix:///b"));
    configure('{"currentContext":"b"}');
    assert.deepEqual(resolveDockerEndpoint({}, home), {
      host: "unix:///b",
      hostFrom: "the docker context b",
    });
    assert.equal(hostIn({ DOCKER_CONTEXT: "a" }), "unix:///a");
    const env = { DOCKER_HOST: "tcp://127.0.0.1:2375", DOCKER_CONTEXT: "a" };
    assert.equal(hostIn(env), "tcp://127.0.0.1:2375");
  });

  it("reads the contexts from the folder DOCKER_CONFIG", () => {
    context("c", at("unix:///c"), "elsewhere");
    configure('{"currentContext":"c"}', "elsewhere");
    assert.equal(hostIn({ DOCKER_CONFIG: join(home, "elsewhere") }), "unix:///c");
  });

  it("prefers the stack's configuration to the environment and to docker's configuration", () => {
    configure("{");
    const env = { DOCKER_HOST: "unix:///x", DOCKER_CONTEXT: "gone", DOCKER_CERT_PATH: "/certs" };
    assert.deepEqual(resolveDockerEndpoint(env, home, "unix:///pinned"), {
      host: "unix:///pinned",
      hostFrom: "store:dockerHost",
    });
  });

  it("uses TLS for TCP addresses with DOCKER_TLS_VERIFY, as the docker command does", () => {
    const certPath = (env: NodeJS.ProcessEnv) => resolveDockerEndpoint(env, home).certPath;
    const tcp = { DOCKER_HOST: "tcp://10.0.0.1:2376", DOCKER_TLS_VERIFY: "1" };
    assert.equal(certPath({ ...tcp, DOCKER_CERT_PATH: "/certs" }), "/certs");
    assert.equal(certPath(tcp), join(home, ".docker"));
    assert.equal(certPath({ ...tcp, DOCKER_TLS_VERIFY: "", DOCKER_CERT_PATH: "/c" }), undefined);
    assert.equal(certPath({ ...tcp, DOCKER_HOST: "ssh://me@host" }), undefined);
    assert.equal(certPath({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/c" }), undefined);
  });

  it("uses the TLS certificates of a context, and refuses one that verifies nothing", () => {
    context("tls", at("tcp://10.0.0.1:2376"));
    const id = createHash("sha256").update("tls").digest("hex");
    const folder = join(home, ".docker/contexts/tls", id, "docker");
    mkdirSync(folder, { recursive: true });
    const found = resolveDockerEndpoint({ DOCKER_CONTEXT: "tls", DOCKER_TLS_VERIFY: "1" }, home);
    assert.deepEqual(found, {
      ...{ host: "tcp://10.0.0.1:2376", hostFrom: "the docker context tls", certPath: folder },
    });
    context("blind", { Endpoints: { docker: { Host: "tcp://a:2376", SkipTLSVerify: true } } });
    assert.throws(() => hostIn({ DOCKER_CONTEXT: "blind" }), /blind skips the verification/);
  });

  it("names the file if docker's configuration is invalid", () => {
    configure("{");
    assert.throws(() => hostIn({}), /config\.json.* is not valid JSON/);
    rmSync(join(home, ".docker/config.json"));
    mkdirSync(join(home, ".docker/config.json"));
    assert.throws(() => hostIn({}), /docker's configuration: .*EISDIR/);
  });

  it("rejects a context that doesn't exist or has no host", () => {
    assert.throws(() => hostIn({ DOCKER_CONTEXT: "gone" }), /context gone /);
    context("empty", {});
    assert.throws(() => hostIn({ DOCKER_CONTEXT: "empty" }), /context empty /);
  });
});

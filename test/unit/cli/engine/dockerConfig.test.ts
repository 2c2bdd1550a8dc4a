import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerConfigFolder, tlsVariables } from "@store/cli/engine/environment/dockerConfig";
import { resolveDockerEndpoint } from "@store/docker/endpoint";

describe("dockerConfigFolder", () => {
  let root = "";
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const folder = (env: NodeJS.ProcessEnv = {}) =>
    dockerConfigFolder(join(root, ".store"), env, root);

  it("is the user's own folder if that has a configuration", () => {
    mkdirSync(join(root, ".docker"));
    writeFileSync(join(root, ".docker/config.json"), "{}");
    assert.equal(folder(), join(root, ".docker"));
    assert.equal(folder({ DOCKER_CONFIG: join(root, ".docker") }), join(root, ".docker"));
  });

  it("is an empty configuration with the user's plugins otherwise", () => {
    mkdirSync(join(root, ".docker/cli-plugins/x"), { recursive: true });
    assert.equal(folder(), join(root, ".store/docker-config"));
    assert.equal(folder(), join(root, ".store/docker-config"));
    assert.equal(readFileSync(join(folder(), "config.json"), "utf8"), "{}");
    assert.ok(existsSync(join(folder(), "cli-plugins/x")));
    assert.ok(!existsSync(join(root, ".docker/config.json")), "the user's folder was changed");
  });

  it("leaves the files of the previous call in place, which another run may be using", () => {
    mkdirSync(join(root, ".docker/cli-plugins"), { recursive: true });
    const files = ["config.json", "cli-plugins"].map((name) => join(folder(), name));
    const written = () => files.map((file) => lstatSync(file, { bigint: true }).ctimeNs);
    const before = written();
    folder();
    assert.deepEqual(written(), before);
  });
});

describe("tlsVariables", () => {
  let root = "";
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("generates a context with the certificates and the user's logins", () => {
    const [certPath, user] = [join(root, "certs"), join(root, "user")];
    for (const path of [certPath, user]) mkdirSync(path);
    for (const name of ["ca", "cert", "key"]) writeFileSync(join(certPath, `${name}.pem`), name);
    writeFileSync(join(user, "config.json"), '{"auths":{},"currentContext":"other"}');
    const endpoint = { host: "tcp://10.0.0.1:2376", certPath };
    const env = tlsVariables(join(root, ".store"), endpoint, user);
    // The call of another stack, on another daemon, while an engine uses the files of the first call.
    tlsVariables(join(root, ".store"), { ...endpoint, host: "tcp://other:2376" }, user);
    const found = resolveDockerEndpoint(env, root);
    assert.equal(found.host, "tcp://10.0.0.1:2376");
    assert.equal(found.certPath, env["DOCKER_CERT_PATH"]);
    for (const name of ["ca", "cert", "key"])
      assert.equal(readFileSync(join(found.certPath ?? "", `${name}.pem`), "utf8"), name);
    assert.match(readFileSync(join(env["DOCKER_CONFIG"] ?? "", "config.json"), "utf8"), /auths/);
  });

  it("completes a context without a client certificate or without a CA, for the docker provider", () => {
    const certPath = join(root, "certs");
    mkdirSync(certPath);
    const read = (name: string): string => {
      const env = tlsVariables(join(root, ".store"), { host: "tcp://a:2376", certPath }, root);
      return readFileSync(join(env["DOCKER_CERT_PATH"] ?? "", name), "utf8");
    };
    assert.match(read("ca.pem"), /BEGIN CERTIFICATE/);
    writeFileSync(join(certPath, "ca.pem"), "own");
    assert.equal(read("ca.pem"), "own");
    const cert = read("cert.pem");
    assert.ok(new X509Certificate(cert).checkPrivateKey(createPrivateKey(read("key.pem"))));
    assert.equal(read("cert.pem"), cert, "another run may be using the file");
    writeFileSync(join(certPath, "cert.pem"), "own");
    assert.equal(read("cert.pem"), "own");
  });
});

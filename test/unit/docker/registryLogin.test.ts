import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryOf, userLogin } from "@store/docker/registryLogin";

describe("userLogin", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "docker-config-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const configure = (config: object, home = folder) => {
    mkdirSync(join(home, ".docker"), { recursive: true });
    writeFileSync(join(home, ".docker/config.json"), JSON.stringify(config));
  };
  const login = (registry: string, env: NodeJS.ProcessEnv = {}) =>
    userLogin(registry, { DOCKER_CONFIG: join(folder, ".docker"), ...env }, folder);
  const auth = "bWU6c2VjcmV0";

  it("finds a login in docker's configuration, without its credentials", () => {
    assert.equal(login("r.io"), undefined);
    configure({ auths: { "r.io": { auth }, "https://s.io/v2/": { auth }, "t.io": {} } });
    assert.deepEqual(login("r.io"), { address: "r.io" });
    assert.deepEqual(login("s.io"), { address: "s.io" });
    assert.equal(login("t.io"), undefined);
    assert.equal(login("u.io"), undefined);
  });

  it("finds a credential helper or store that is installed", () => {
    configure({ credHelpers: { "r.io": "mine" }, credsStore: "other", auths: { "s.io": {} } });
    const PATH = join(folder, "bin");
    assert.equal(login("r.io", { PATH }), undefined);
    mkdirSync(PATH);
    writeFileSync(join(PATH, "docker-credential-mine"), "");
    assert.deepEqual(login("r.io", { PATH }), { address: "r.io" });
    assert.equal(login("s.io", { PATH }), undefined);
    writeFileSync(join(PATH, "docker-credential-other"), "");
    assert.deepEqual(login("s.io", { PATH }), { address: "s.io" });
  });

  it("finds the login at Docker Hub by the address that docker's provider uses", () => {
    configure({ auths: { "https://index.docker.io/v1/": { auth } } });
    assert.deepEqual(login(registryOf("postgres:18.4")), { address: "registry-1.docker.io" });
  });
});

describe("registryOf", () => {
  it("tells a registry from a folder of Docker Hub", () => {
    assert.deepEqual(
      [
        "postgres:18.4",
        "team/tool:1",
        "docker.io/x:1",
        "r.io/x:1",
        "localhost/x:1",
        "r:5000/a/b:1",
      ].map(registryOf),
      [
        ...["registry-1.docker.io", "registry-1.docker.io", "registry-1.docker.io"],
        ...["r.io", "localhost", "r:5000"],
      ],
    );
  });
});

import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findDocker, missingDockerCommand } from "@store/toolchain/tools/docker";
import { planDocker, type DockerFacts } from "@store/toolchain/tools/planDocker";
import { parseOsRelease } from "@store/toolchain/system/apt";

const DEFAULT = "unix:///var/run/docker.sock";

describe("The action if no Docker daemon answers", () => {
  const debian: DockerFacts = {
    host: DEFAULT,
    hostFrom: "the default",
    problem: "ENOENT",
    platform: "linux",
    distribution: ["debian"],
    daemonInstalled: false,
    asRoot: [],
  };
  const cases: [string, Partial<DockerFacts>, string | RegExp][] = [
    ["installs on Debian as root", {}, "install"],
    ["installs with sudo", { asRoot: ["sudo", "-n"] }, "install"],
    ["installs on what is like Ubuntu", { distribution: ["pop", "ubuntu", "debian"] }, "install"],
    ["starts what is installed", { daemonInstalled: true, problem: "ECONNREFUSED" }, "start"],
    ["starts on any Linux", { daemonInstalled: true, distribution: ["arch"] }, "start"],
    [
      "tells who is not root what to type",
      { asRoot: undefined },
      /sudo apt-get install docker\.io/,
    ],
    [
      "tells how to start it",
      { asRoot: undefined, daemonInstalled: true },
      /sudo systemctl start docker/,
    ],
    ["installs nothing on another Linux", { distribution: ["fedora"] }, /Install Docker Engine/],
    ["installs nothing on macOS", { platform: "darwin" }, /Docker Desktop/],
    ["never touches a closed socket", { problem: "EACCES" }, /usermod -aG docker/],
    ["never replaces a broken daemon", { problem: "ETIMEDOUT" }, /Restart the daemon/],
    [
      "never replaces the daemon that somebody chose",
      { host: "tcp://10.0.0.1:2375", hostFrom: "DOCKER_HOST", problem: "ECONNREFUSED" },
      /Start the daemon there.*DOCKER_HOST/,
    ],
    [
      "names the supported addresses",
      { host: "npipe:////./pipe/docker_engine", problem: "EPROTONOSUPPORT" },
      /unix:\/\/, tcp:\/\/ or ssh:/,
    ],
    [
      "tells how to check a connection by ssh",
      { host: "ssh://me@host", hostFrom: "DOCKER_HOST", problem: "Permission denied (publickey)." },
      /docker --host ssh:\/\/me@host version/,
    ],
    [
      "names another daemon of the same user instead of installing one",
      { otherSocket: "unix:///run/user/1000/docker.sock" },
      /export DOCKER_HOST=unix:\/\/\/run\/user\/1000\/docker\.sock, or choose its context/,
    ],
    [
      "names the stack's key where it has precedence over DOCKER_HOST",
      { otherSocket: "unix:///run/user/1000/docker.sock", hostFrom: "store:dockerHost" },
      /Use it: set store:dockerHost to it, or remove that key\.$/,
    ],
    [
      "blames the address, not the daemon, if there is no such host",
      { host: "tcp://shop:2375", hostFrom: "DOCKER_HOST", problem: "ENOTFOUND" },
      /^Correct the address/,
    ],
    [
      "doesn't say that a daemon is stopped which doesn't answer in time",
      { host: "tcp://10.0.0.1:2375", hostFrom: "DOCKER_HOST", problem: "ETIMEDOUT" },
      /^Check the daemon there and the connection to it, or change DOCKER_HOST/,
    ],
  ];
  for (const [title, facts, expected] of cases) {
    it(title, () => {
      const plan = planDocker({ ...debian, ...facts });
      if (typeof expected === "string") assert.equal(plan.action, expected);
      else assert.match(plan.action === "tell" ? plan.remedy : plan.action, expected);
    });
  }

  it("names store:dockerHost for an address of it that isn't supported", () => {
    const host = "/var/run/docker.sock";
    const chosen = { ...debian, host, problem: "EPROTONOSUPPORT", hostFrom: "store:dockerHost" };
    const plan = planDocker(chosen);
    const remedy = plan.action === "tell" ? plan.remedy : plan.action;
    assert.match(remedy, /Set store:dockerHost to a unix:\/\//);
    assert.doesNotMatch(remedy, /DOCKER_HOST|docker context/);
  });

  it("recognizes a distribution by ID and ID_LIKE", () => {
    const text = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n';
    assert.deepEqual(parseOsRelease(text), ["linuxmint", "ubuntu", "debian"]);
  });
});

describe("A missing docker command", () => {
  it("is reported with the package that has it", () => {
    assert.match(missingDockerCommand(["debian"]).hint ?? "", /apt-get install docker-cli /);
    assert.match(missingDockerCommand(["fedora"]).hint ?? "", /https:/);
  });
});

describe("A daemon of another product", () => {
  let folder: string;
  let server: Server;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "podman-"));
    server = createServer((_request, response) => response.end(JSON.stringify(PODMAN_VERSION)));
    await once(server.listen(join(folder, "docker.sock")), "listening");
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("is refused if it is Podman, with the reason and a remedy, and nothing is installed", async () => {
    const found = await findDocker({
      host: `unix://${folder}/docker.sock`,
      hostFrom: "DOCKER_HOST",
    });
    assert.ok(!found.found);
    assert.match(found.problem, /from DOCKER_HOST: Podman answers there/);
    assert.match(found.plan.action === "tell" ? found.plan.remedy : "", /Install Docker Engine/);
  });
});

/** Response of Podman 5.8 to /version, shortened. */
const PODMAN_VERSION = {
  Components: [{ Name: "Podman Engine", Version: "5.8.6" }, { Name: "Conmon" }],
  ...{ Version: "5.8.6", ApiVersion: "1.44", Arch: "amd64" },
};

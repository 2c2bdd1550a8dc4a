import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";

import { planDocker, resolveHost, type DockerFacts } from "../../../toolchain/docker";
import { parseOsRelease } from "../../../toolchain/apt";
import { addressOf, refusal } from "../../../toolchain/dockerApi";

const DEFAULT = "unix:///var/run/docker.sock";

describe("Which Docker daemon is meant", () => {
  const context = (name: string, host: string): Record<string, string> => ({
    "config.json": JSON.stringify({ currentContext: name }),
    [`contexts/meta/${createHash("sha256").update(name).digest("hex")}/meta.json`]: JSON.stringify({
      Name: name,
      Endpoints: { docker: { Host: host } },
    }),
  });
  const resolve = (env: NodeJS.ProcessEnv, files: Record<string, string> = {}): string =>
    resolveHost(env, (name) => files[name]).host;

  it("DOCKER_HOST before any context", () => {
    const files = context("remote", "tcp://10.0.0.1:2375");
    const env = { DOCKER_HOST: "unix:///tmp/d.sock", DOCKER_CONTEXT: "remote" };
    assert.equal(resolve(env, files), "unix:///tmp/d.sock");
  });

  it("DOCKER_CONTEXT before the configured context", () => {
    const files = { ...context("a", "unix:///a"), ...context("b", "unix:///b") };
    assert.equal(resolve({ DOCKER_CONTEXT: "a" }, files), "unix:///a");
    assert.equal(resolve({}, files), "unix:///b");
  });

  it("the default socket without either, and for the context default", () => {
    assert.equal(resolve({}), DEFAULT);
    assert.equal(resolve({ DOCKER_CONTEXT: "default" }, context("b", "unix:///b")), DEFAULT);
    assert.equal(resolve({}, { "config.json": "{}" }), DEFAULT);
  });

  it("says so when the context is gone or the configuration is broken", () => {
    assert.throws(() => resolve({ DOCKER_CONTEXT: "gone" }), /context gone does not exist/);
    assert.throws(() => resolve({}, { "config.json": "{" }), /config\.json is not valid JSON/);
  });

  it("has an address for sockets and plain TCP only", () => {
    assert.deepEqual(addressOf(DEFAULT), { socketPath: "/var/run/docker.sock", host: "docker" });
    assert.deepEqual(addressOf("tcp://[::1]:2375"), { host: "::1", port: 2375 });
    assert.equal(addressOf("ssh://me@host"), undefined);
    assert.equal(addressOf("tcp://host"), undefined);
  });

  it("reads a refusal with and without JSON", () => {
    assert.equal(refusal({ status: 500, body: '{"message":"no"}' }), "no");
    assert.equal(refusal({ status: 502, body: "Bad gateway\n" }), "Bad gateway");
    assert.equal(refusal({ status: 502, body: "" }), "HTTP 502");
  });
});

describe("What is done when no daemon answers", () => {
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
    ["does not speak ssh", { host: "ssh://x", problem: "EPROTONOSUPPORT" }, /unix:\/\/ or tcp/],
  ];
  for (const [title, facts, expected] of cases) {
    it(title, () => {
      const plan = planDocker({ ...debian, ...facts });
      if (typeof expected === "string") assert.equal(plan.action, expected);
      else assert.match(plan.action === "tell" ? plan.remedy : plan.action, expected);
    });
  }

  it("knows a distribution by itself and by what it is like", () => {
    const text = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n';
    assert.deepEqual(parseOsRelease(text), ["linuxmint", "ubuntu", "debian"]);
  });
});

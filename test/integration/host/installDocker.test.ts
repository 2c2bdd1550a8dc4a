import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readProject } from "@store/cli/project/project";
import { readMachineScript, withArguments } from "../../../components/shell/shell";

// A fallback image has no digest.
const IMAGE = String(readProject().defaults["store:nodeImage"]).replace(/@.*$/, "");
const SSH_FOLDER = join(__dirname, "../../../components/host/ssh");
const STUBS = readFileSync(join(__dirname, "hostStubs.sh"), "utf8");
const LIMITS = "MaxSessions 100\n";

/** The script runs in a container with stubs for apt-get, docker and sudo. There is no systemd. */
describe("installDocker.sh", () => {
  /** Runs the script, and a command after it. @returns the output of both. */
  function runScript(variables: Readonly<Record<string, string>>, after = "true"): string {
    const script = withArguments(readMachineScript(SSH_FOLDER, "installDocker.sh"), [LIMITS]);
    const program = `${STUBS}\nPATH=/stubs:$PATH && export PATH && sh -c "$SCRIPT" 2>&1 && ${after}`;
    const env = { AS_ROOT: "yes", ...variables, SCRIPT: script };
    const flags = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    const { stdout, stderr, status } = spawnSync(
      "docker",
      ["run", "--rm", "--user", "0", "--entrypoint", "sh", ...flags, IMAGE, "-c", program],
      { encoding: "utf8" },
    );
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  }

  it("waits for another apt, and starts dockerd where there is no systemd", () => {
    const output = runScript({ LOCKED: "2" }, "cat /tmp/apt.log /etc/docker/daemon.json");
    assert.equal(output.match(/waiting for another package manager.*process 42/g)?.length, 2);
    assert.match(output, /Docker 20\.10 is ready/);
    assert.match(output, /apt-get -qq -o DPkg::Lock::Timeout=60 install --yes docker\.io/);
    assert.match(output, /"no-new-privileges": true/);
  });

  it("starts a Docker that is installed and stopped, instead of installing another one", () => {
    const output = runScript(
      { INSTALLED: "1" },
      "[ ! -e /tmp/apt.log ] && [ ! -e /etc/docker/daemon.json ]",
    );
    assert.match(output, /Starting Docker[^]*Docker 20\.10 is ready/);
  });

  it("raises sshd's limits, and makes sshd read them again without systemd", () => {
    // The stub of sshd is a process that the signal to read the configuration again ends.
    const output = runScript(
      { INSTALLED: "1" },
      "cat /etc/ssh/sshd_config.d/10-store.conf && ! wait $(cat /run/sshd.pid)",
    );
    assert.match(output, /MaxSessions 100/);
  });

  it("lets a user with sudo talk to Docker, also one whose name contains a period", () => {
    const output = runScript({ INSTALLED: "1", LOGIN: "jane.doe", AS_ROOT: "" });
    assert.match(output, /usermod --append --groups docker jane\.doe/);
    assert.match(output, /Docker 20\.10 is ready/);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  readMachineScript,
  readWithoutComments,
  withArguments,
} from "../../../components/shell/shell";

const FOLDER = join(__dirname, "../../../components/swarm");

describe("Scripts on the machines of a swarm", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /**
   * Runs a script of the swarm.
   *
   * @param docker Script in place of docker, which logs its calls to `calls`.
   */
  function run(
    file: string,
    docker: string,
    { args = [], input = "" }: { readonly args?: readonly string[]; readonly input?: string } = {},
  ): { readonly status: number | null; readonly output: string; readonly calls: string } {
    const tools = {
      docker: `echo "$*" >>${folder}/calls\n${docker}`,
      systemctl: `echo "systemctl $*" >>${folder}/calls`,
      // Without -n.
      sudo: `shift; exec "$@"`,
      sleep: ":",
    };
    for (const [name, text] of Object.entries(tools))
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const functions = readMachineScript(FOLDER, "machine.sh");
    // Not those of the machine that runs the test.
    const text = `${functions}\n${readWithoutComments(FOLDER, file)}`
      .replaceAll("/var/lib/store-worker-names", join(folder, "names"))
      .replaceAll("/run/systemd/system", folder);
    const script = withArguments(text, args);
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script], {
      env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
      ...{ encoding: "utf8", input },
    });
    const calls = join(folder, "calls");
    return {
      ...{ status, output: stdout + stderr },
      calls: existsSync(calls) ? readFileSync(calls, "utf8") : "",
    };
  }

  /** A manager whose nodes w1 and w2 are ready workers and m is the manager itself. */
  const MANAGER = `
case "$*" in
  *Spec.Role*" m") echo manager ;;
  *Spec.Role*) echo worker ;;
  *Status.State*) echo ready ;;
  *Description.Hostname*) echo "host-of-$5" ;;
esac`;

  it("let services run on each worker, and replace the token", () => {
    const { status, calls } = run("members.sh", MANAGER, { args: ["w1", "w2"] });
    assert.equal(status, 0);
    for (const node of ["w1", "w2"])
      assert.match(calls, new RegExp(`node update --availability active .*true ${node}\\n`));
    assert.match(calls, /swarm join-token --rotate/);
  });

  it("refuse the first machine as a worker, and one machine as two", () => {
    const first = run("members.sh", MANAGER, { args: ["w1", "m"] });
    assert.equal(first.status, 1);
    assert.match(first.output, /store:workers is the first machine, host-of-m, under another name/);
    const twice = run("members.sh", MANAGER, { args: ["w1", "w1"] });
    assert.equal(twice.status, 1);
    assert.match(twice.output, /the same machine, host-of-w1, under different names/);
    assert.doesNotMatch(twice.calls, /--rotate/);
  });

  it("restart the stacks' containers when the manager leaves, because Docker forgets their names, and name the others", () => {
    const { status, output, calls } = run(
      "dissolve.sh",
      `
case "$*" in
  *LocalNodeState*) echo active ;;
  *role=database*) printf 'db1\\ndb2\\n' ;;
  *role=gateway*) echo gw ;;
  *Networks*) printf 'gw edge,web shop/dev\\nproxy bridge \\nprometheus monitoring \\n' ;;
esac`,
    );
    assert.equal(status, 0);
    const done = calls.split("\n").filter((call) => /^(swarm|restart) /.test(call));
    assert.equal(done[0], "swarm leave --force");
    assert.deepEqual(done.slice(1, 3).sort(), ["restart db1", "restart db2"]);
    assert.deepEqual(done.slice(3), ["restart gw"]);
    assert.match(output, /Restart them when it suits: docker restart prometheus\n/);
  });

  /** A machine with this state in Swarm, which can't join for this reason. */
  const worker = (state: string, refusal: string, managers = "192.0.2.9:2377"): string => `
case "$*" in
  *Architecture*) echo x86_64 ;;
  *LiveRestore*) echo false ;;
  *LocalNodeState*) echo ${state} ;;
  *RemoteManagers*) echo "${managers} " ;;
  *NodeID*) echo node-a ;;
  "swarm join"*) echo "Error response from daemon: ${refusal}" >&2; exit 1 ;;
esac`;
  const input = "SWMTKN-1 192.0.2.1:2377";
  const join1 = { args: ["w1"], input };

  it("take a machine that can't join out again, with the ports that must be open", () => {
    const refusal = "rpc error: dial tcp 192.0.2.1:2377: i/o timeout";
    const { status, output, calls } = run("join.sh", worker("inactive", refusal), join1);
    assert.equal(status, 1);
    assert.match(output, /^This machine can't join .*i\/o timeout.*TCP 2377 and 7946/m);
    assert.match(calls, /swarm leave --force/);
  });

  it("leave a machine in the swarm that joins under another name at the same time", () => {
    const refusal = "This node is already part of a swarm.";
    const { output, calls } = run("join.sh", worker("inactive", refusal), join1);
    assert.match(output, /this machine under different names/);
    assert.doesNotMatch(calls, /swarm leave/);
  });

  it("refuse a machine of another swarm, and one of another architecture", () => {
    const other = run("join.sh", worker("active", ""), join1);
    assert.match(other.output, /^This machine is in another swarm\..*docker swarm leave --force/m);
    const own = run("join.sh", worker("active", "", "192.0.2.1:2377"), join1);
    assert.deepEqual([own.status, own.output], [0, "node-a\n"]);
    const arm = run("join.sh", worker("inactive", "").replace("x86_64", "aarch64"), join1);
    assert.match(arm.output, /architecture is aarch64, but the images are for x86_64/);
  });

  it("refuse the first machine, and the manager of another swarm, before they are workers in the state", () => {
    const manager = worker("active", "", "192.0.2.1:2377").replace(
      'case "$*" in',
      'case "$*" in\n  *ControlAvailable*) echo true ;;',
    );
    const { status, output } = run("join.sh", manager, join1);
    assert.equal(status, 1);
    assert.match(output, /^A worker in store:workers is the first machine under another name/m);
  });

  it("let a machine leave only if it is no worker under another name", () => {
    const member = worker("active", "", "192.0.2.1:2377");
    for (const name of ["w1", "w1.example.org"]) run("join.sh", member, { args: [name], input });
    const renamed = run("leave.sh", member, { args: ["w1"] });
    assert.match(renamed.output, /stays in the swarm as w1\.example\.org/);
    assert.doesNotMatch(renamed.calls, /swarm leave/);
    const last = run("leave.sh", member, { args: ["w1.example.org"] });
    assert.match(last.calls, /swarm leave --force/);
    assert.equal(existsSync(join(folder, "names")), false);
  });

  it("take a machine out of a swarm that its manager had before, and let it join", () => {
    mkdirSync(join(folder, "swarm/certificates"), { recursive: true });
    writeFileSync(join(folder, "swarm/certificates/swarm-root-ca.crt"), "former\n");
    const member = worker("active", "", "192.0.2.1:2377").replace(
      'case "$*" in',
      `case "$*" in\n  "swarm join"*) exit 0 ;;\n  *DockerRootDir*) echo ${folder} ;;`,
    );
    const joinSwarm = (certificate: string): ReturnType<typeof run> => {
      const swarm = createHash("sha256").update(certificate).digest("hex");
      return run("join.sh", member, { args: ["w1"], input: `${input} ${swarm}` });
    };
    const same = joinSwarm("former");
    assert.deepEqual([same.status, same.output], [0, "node-a\n"]);
    assert.doesNotMatch(same.calls, /swarm leave/);
    const former = joinSwarm("another");
    assert.equal(former.status, 0);
    assert.match(
      former.calls,
      /swarm leave --force\n[^]*systemctl restart docker\n[^]*swarm join /,
    );
  });

  it("refuse a machine whose address is in the range of Swarm's networks", () => {
    writeFileSync(
      join(folder, "ip"),
      "#!/bin/sh\necho '192.0.2.1 dev eth0 src 172.30.4.5 uid 0'\n",
      {
        mode: 0o755,
      },
    );
    const { status, output, calls } = run("join.sh", worker("inactive", ""), join1);
    assert.equal(status, 1);
    assert.match(output, /address, 172\.30\.4\.5, is in 172\.30\.0\.0\/16.*another range/);
    assert.doesNotMatch(calls, /swarm join/);
    const manager = run("init.sh", worker("inactive", ""), { args: ["store/test"] });
    assert.match(manager.output, /172\.30\.4\.5/);
    assert.doesNotMatch(manager.calls, /swarm init/);
  });
});

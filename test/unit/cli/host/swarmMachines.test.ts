import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { machineResults, swarmResults } from "@store/cli/doctor/machineChecks";
import type { SwarmNode } from "@store/cli/docker/swarmNodes";
import { findClosedPorts, type MachineState, readMachine } from "@store/cli/host/swarmMachines";
import { pruneMachines } from "@store/cli/lifecycle/pruneHost";
import { repairMachines } from "@store/cli/lifecycle/repairMachines";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import type { Docker } from "@store/docker/docker";
import { withEnvironment } from "../../environment";

/** SUBSTITUTE for ssh that runs the command on this machine. */
const SSH = `#!/bin/sh
for last; do :; done
exec sh -c "$last"
`;

/** SUBSTITUTE for ssh to machines whose check of the ports prints the file with their name. */
const SSH_TO_PEERS = `#!/bin/sh
cd "$(dirname "$0")"
for machine in shop one two; do
  case " $* " in *" $machine "*) cat "$machine" 2>/dev/null; exit ;; esac
done
`;

/** SUBSTITUTE for docker on a worker of a swarm. */
const DOCKER = `#!/bin/sh
case "$*" in
  *Swarm*) printf 'docker 28.5.2\\nroot /tmp\\nswarm active\\nnode node-a\\nswarm-error \\n' ;;
  *) echo /tmp ;;
esac
`;
const BROKEN_DOCKER = "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n";

const machine = (number: number): MachineState["machine"] => ({
  ...{ number, name: `192.0.2.${number + 1}`, address: `192.0.2.${number + 1}` },
  target: { args: ["machine"] },
});

describe("A machine of a swarm", () => {
  let bin: string;

  beforeEach(() => (bin = mkdtempSync(join(tmpdir(), "store-machines-"))));
  afterEach(() => rmSync(bin, { recursive: true }));

  const put = (name: string, content: string): void =>
    writeFileSync(join(bin, name), content, { mode: 0o755 });
  const inBin = async <T>(action: () => Promise<T>): Promise<T> => {
    let result: T | undefined;
    const PATH = [bin, process.env["PATH"]].join(delimiter);
    await withEnvironment({ PATH }, async () => {
      result = await action();
    });
    return result as T;
  };

  it("tells its Docker, its place in the swarm, its free space and its time", async () => {
    put("ssh", SSH);
    put("docker", DOCKER);
    const state = await inBin(() => readMachine(machine(1)));
    assert.ok(typeof state === "object");
    const { docker, swarm, swarmError, nodeId, freeGiB = 0, aheadSeconds } = state;
    assert.deepEqual([docker, swarm, swarmError, nodeId], ["28.5.2", "active", "", "node-a"]);
    assert.ok(freeGiB > 0);
    assert.ok(Math.abs(aheadSeconds) < 60);
  });

  it("tells why its Docker doesn't run, and ssh tells why it doesn't answer", async () => {
    put("ssh", SSH);
    put("docker", BROKEN_DOCKER);
    const state = await inBin(() => readMachine(machine(1)));
    assert.ok(typeof state === "object");
    assert.equal(state.docker, undefined);
    assert.match(state.problem, /Cannot connect/);
    put("ssh", "#!/bin/sh\necho 'Connection refused' >&2; exit 255\n");
    assert.equal(await inBin(() => readMachine(machine(1))), "Connection refused");
  });

  it("loses the project's images that no container has used for a week", async () => {
    const notes: string[] = [];
    const note = (text: string): void => void notes.push(text);
    const report = { note, step: note, progress: note };
    put("ssh", SSH);
    put("docker", `#!/bin/sh\necho "$*" > "$(dirname "$0")/calls"\n`);
    await inBin(() => pruneMachines([machine(1)], "store", report));
    assert.equal(
      readFileSync(join(bin, "calls"), "utf8"),
      "image prune --all --force --filter until=168h --filter label=dev.store.project=store\n",
    );
    put("docker", BROKEN_DOCKER);
    await inBin(() => pruneMachines([machine(1)], "store", report));
    assert.deepEqual(notes, ["old images stay on 192.0.2.2: Cannot connect to the Docker daemon"]);
  });

  const healthy: MachineState = {
    ...{ machine: machine(1), docker: "28.5.2", problem: "", swarm: "active", swarmError: "" },
    ...{ nodeId: "node-a", freeGiB: 10, reboot: undefined, aheadSeconds: 0.5 },
  };

  it("has one line in doctor, or one for each problem with the way out", () => {
    const results = (state: MachineState | string): string[] =>
      machineResults(healthy.machine, state, healthy, "test", "Take it out.").map(
        ({ status, found, hint = "" }) => `${status}: ${found} ${hint}`,
      );
    assert.deepEqual(results(healthy), ["ok: 192.0.2.2: Docker 28.5.2, 10.0 GiB free "]);
    const cases: readonly (readonly [MachineState | string, RegExp])[] = [
      ["Connection refused", /^failed: .*over SSH: Connection refused .*Take it out\./],
      [
        { ...healthy, docker: undefined, problem: "gone" },
        /^failed: .*run: gone .*--host 1 -s test -- sys/,
      ],
      [{ ...healthy, freeGiB: 0.5 }, /^failed: .*0\.5 GiB free .*ssh .*--host 1 .*-- docker image/],
      [
        { ...healthy, aheadSeconds: 31 },
        /^failed: .*31 s ahead of that of 192\.0\.2\.2 .*timedatectl/,
      ],
      [{ ...healthy, swarm: "pending" }, /^failed: .*state pending .*docker swarm leave/],
      [{ ...healthy, reboot: ["libc6"] }, /^ok: .*reboot \(libc6\).*--host 1 .*-- sudo reboot/],
    ];
    for (const [state, line] of cases) {
      const [first = "", ...others] = results(state);
      assert.match(first, line);
      assert.deepEqual(others, []);
    }
  });

  it("reaches another one unless one of them misses the other, which only both can tell for UDP", async () => {
    put("ssh", SSH_TO_PEERS);
    const peers = ["shop", "one", "two"].map((name) => ({
      ...{ name, address: name, target: { args: [name] } },
    }));
    const closed = (): Promise<string[]> => inBin(() => findClosedPorts(peers));
    for (const name of ["shop", "one", "two"]) put(name, "");
    assert.deepEqual(await closed(), []);
    put("two", "UDP 4789\nTCP 7946\n");
    assert.deepEqual((await closed()).sort(), [
      "TCP 7946 between one and two",
      "TCP 7946 between shop and two",
      "UDP 4789 between one and two",
      "UDP 4789 between shop and two",
    ]);
    put("one", "unchecked\n");
    assert.deepEqual((await closed()).sort(), [
      "TCP 7946 between one and two",
      "TCP 7946 between shop and two",
      "UDP 4789 between shop and two",
    ]);
  });
});

describe("The machines of a swarm", () => {
  const checkpoint: Checkpoint = {
    pending: [],
    resources: ["swarm-invitation", "swarm-join-a", "swarm-join-b"].map((name) => ({
      ...{ urn: `urn:pulumi:test::store::x::${name}`, type: "command:remote:Command" },
      outputs: { stdout: `${name.slice(-1)}\n` },
    })),
  };
  const node = (id: string, change: Partial<SwarmNode> = {}): SwarmNode => ({
    ...{ id, name: `machine-${id}`, address: "192.0.2.2", isManager: false, version: 1 },
    ...{ state: "ready", availability: "active", dockerVersion: "28.5.2", memoryBytes: 2 ** 30 },
    spec: { Labels: { "dev.store.worker": "true" } },
    ...change,
  });

  it("are ready in doctor, which tells of different versions of Docker and of machines that aren't", () => {
    const results = (...nodes: readonly SwarmNode[]): readonly [string, string, string][] =>
      swarmResults(checkpoint, nodes, "test").map((one) => [one.status, one.found, one.hint ?? ""]);
    assert.deepEqual(results(node("a"), node("b")), [["ok", "2 workers are ready; Docker 28", ""]]);
    const [[, found, hint] = ["", "", ""]] = results(
      node("a"),
      node("b", { dockerVersion: "26.1" }),
    );
    assert.match(found, /26 and 28/);
    assert.match(hint, /same/);
    assert.deepEqual(
      results(node("a")).map(([status]) => status),
      ["failed"],
    );
  });

  it("have the memory that the instances may use, or doctor tells how much is short", () => {
    const limits = { memoryBytes: 2 ** 30 };
    const orders = {
      ...{ urn: "orders", type: "docker:index/service:Service", id: "orders" },
      inputs: { mode: { replicated: { replicas: 3 } }, taskSpec: { resources: { limits } } },
    };
    const larger = { ...checkpoint, resources: [...checkpoint.resources, orders] };
    const [short] = swarmResults(larger, [node("a"), node("b")], "test");
    assert.match(short?.found ?? "", /3\.0 GiB of memory, and the workers have 2\.0 GiB/);
    const [enough] = swarmResults(larger, [node("a"), node("b", { memoryBytes: 2 ** 31 })], "test");
    assert.equal(enough?.status, "ok");
  });

  /** Repairs the faults of these nodes. */
  async function repair(
    faults: Parameters<typeof repairMachines>[2],
    left: boolean,
  ): Promise<{ readonly posts: string[]; readonly notes: string[]; readonly result: object }> {
    const posts: string[] = [];
    const notes: string[] = [];
    const docker = {
      post: (path: string) => Promise.resolve(void posts.push(path)),
    } as unknown as Docker;
    const repairs = {
      initSwarm: () => Promise.resolve(void posts.push("init")),
      hasLeft: () => Promise.resolve(left),
      invitations: new Map([
        ["a", "invitation-a"],
        ["b", "invitation-b"],
      ]),
      joins: ["join-a", "join-b"],
    };
    const note = (text: string): void => void notes.push(text);
    const report = { note, step: note, progress: note };
    const { repaired, replace } = await repairMachines(docker, repairs, faults, report);
    return { posts, notes, result: { repaired, replace } };
  }

  it("are activated by up if they are drained or have no label", async () => {
    const faults = [
      { kind: "inactive", node: node("a", { availability: "drain" }) },
      { kind: "unlabelled", node: node("b", { spec: {} }) },
    ] as const;
    const { posts, result } = await repair(faults, false);
    assert.deepEqual(posts, ["/nodes/a/update?version=1", "/nodes/b/update?version=1"]);
    assert.deepEqual(result, { repaired: 2, replace: [] });
  });

  it("join again with a new token if they have left, and are only reported while they are down", async () => {
    const down = [{ kind: "down", node: node("a", { state: "down" }) }] as const;
    const reported = await repair(down, false);
    assert.deepEqual(reported.result, { repaired: 0, replace: [] });
    assert.match(reported.notes.join(), /machine-a \(192\.0\.2\.2\) is down/);
    const left = [{ kind: "left", worker: { name: "b", urn: "b", nodeId: "b" } }] as const;
    // Only its own: another machine may be down.
    const byDown = await repair(down, true);
    assert.deepEqual(byDown.result, { repaired: 0, replace: ["invitation-a"] });
    const byLeft = await repair(left, false);
    assert.deepEqual(byLeft.result, { repaired: 0, replace: ["invitation-b"] });
  });

  it("all join a new swarm if the first one has lost it", async () => {
    const { posts, result } = await repair([{ kind: "lost-swarm" }], false);
    assert.deepEqual(posts, ["init"]);
    assert.deepEqual(result, {
      repaired: 0,
      replace: ["invitation-a", "invitation-b", "join-a", "join-b"],
    });
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLostWorkers } from "@store/cli/lifecycle/lostWorkers";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import { Docker } from "@store/docker/docker";
import { withEnvironment } from "../../environment";

const VM = "azure-native:compute:VirtualMachine";
const urn = (type: string, name: string): string => `urn:pulumi:test::store::${type}::${name}`;

const vm = (name: string): Checkpoint["resources"][number] => ({
  ...{ type: VM, urn: urn(VM, name), id: `/vms/${name}` },
});
const joined = (name: string, node: string): Checkpoint["resources"][number] => ({
  ...{ type: "command:remote:Command", urn: urn("command:remote:Command", `swarm-join-${name}`) },
  outputs: { stdout: `${node}\n` },
});
const checkpoint: Checkpoint = {
  pending: [],
  resources: [
    ...[vm("worker-1"), vm("worker-2"), vm("host")],
    ...[joined("worker-1", "node-a"), joined("worker-2", "node-b")],
  ],
};

/** Time for which a machine may reboot, in milliseconds: a short one. */
const REBOOT_MS = 400;

describe("Workers that are lost", () => {
  let server: Server;
  let docker: Docker;
  let bin: string;
  let states: Readonly<Record<string, string>>;
  let notes: string[];
  const note = (text: string): void => void notes.push(text);
  const report = { step: note, note, progress: () => undefined };

  before(async () => {
    server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      if (!request.url?.endsWith("/nodes")) response.statusCode = 503;
      const nodes = Object.entries(states).map(([ID, State]) => ({ ID, Status: { State } }));
      response.end(JSON.stringify(nodes));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    docker = new Docker({ host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  after(() => {
    docker.close();
    server.close();
  });
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "store-lost-"));
    states = { "node-a": "down", "node-b": "ready" };
    notes = [];
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  /** Finds them with an `az` that prints a power state, or fails; without `az` by default. */
  async function lost(power?: string, state = checkpoint): Promise<string[]> {
    const deleted = power === "deleted" ? 'echo "ERROR: (ResourceNotFound) gone" >&2; exit 3' : "";
    const az = `#!/bin/sh\n${deleted}\necho PowerState/${power ?? ""}\n[ "${power}" != none ]\n`;
    if (power !== undefined) writeFileSync(join(bin, "az"), az, { mode: 0o755 });
    let found: string[] = [];
    await withEnvironment({ PATH: `${bin}:/bin` }, async () => {
      found = await findLostWorkers({ docker, checkpoint: state }, "test", report, REBOOT_MS);
    });
    return found;
  }

  it("are VMs whose node is down, which are said to be replaced", async () => {
    for (const power of ["running", "deleted"]) {
      notes = [];
      assert.deepEqual(await lost(power), [urn(VM, "worker-1")]);
      assert.match(notes.at(-1) ?? "", /VM worker-1 doesn't answer .* replacing it/);
    }
  });

  it("aren't VMs that answer again, because they have rebooted", async () => {
    const found = lost("running");
    setTimeout(() => (states = { "node-a": "ready", "node-b": "ready" }), REBOOT_MS / 2);
    assert.deepEqual(await found, []);
    assert.match(notes.join(), /Waiting up to .* VM worker-1/);
  });

  it("aren't VMs of which Azure can't be asked, with the command that replaces them", async () => {
    for (const power of [undefined, "none"]) assert.deepEqual(await lost(power), []);
    assert.match(notes[0] ?? "", /Replace it: .*up .* -- --replace '.*worker-1'/);
  });

  it("aren't VMs that somebody has switched off", async () => {
    assert.deepEqual(await lost("deallocated"), []);
    assert.match(notes[0] ?? "", /VM worker-1 is off\. Start it: \.\/store start test/);
  });

  it("aren't VMs whose node is ready, or not known yet", async () => {
    states = { "node-b": "ready" };
    assert.deepEqual(await lost(), []);
    states = { "node-a": "unknown", "node-b": "ready" };
    assert.deepEqual(await lost(), []);
  });

  it("don't exist on one machine, and outside of Azure, where Docker isn't asked", async () => {
    docker.close();
    assert.deepEqual(await lost(undefined, { pending: [], resources: [vm("host")] }), []);
    const ssh = [joined("192.0.2.2", "node-a")];
    assert.deepEqual(await lost(undefined, { pending: [], resources: ssh }), []);
  });
});

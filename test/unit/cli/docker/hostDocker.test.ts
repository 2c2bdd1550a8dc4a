import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { connectStackHost } from "@store/cli/lifecycle/stackHost";
import { hasSshFiles, removeSshFiles } from "@store/cli/docker/hostDocker";
import type { Session } from "@store/cli/project/session";
import type { Checkpoint } from "@store/cli/state/checkpoint";
import { createSession } from "../diagnostics/failedRun";
import { withEnvironment } from "../../environment";

/** Test double of ssh: records its arguments and answers each request, or fails if the file `down` exists. */
const SSH = `#!/usr/bin/env node
const { existsSync, writeFileSync } = require("node:fs");
writeFileSync("arguments.json", JSON.stringify(process.argv.slice(2)));
if (existsSync("down")) {
  console.error("ssh: connect to host 192.0.2.1 port 22: Connection timed out");
  process.exit(255);
}
process.stdin.on("data", () => process.stdout.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nOK"));
process.stdin.on("end", () => process.exit());
`;

describe("the Docker of a remote stack's host", () => {
  let session: Session;
  let root: string;
  let notes: string[];

  beforeEach(() => {
    session = createSession({ "store:host": "ssh" });
    ({ root } = session.project);
    notes = [];
    mkdirSync(join(root, ".store/ssh/dev"), { recursive: true });
    writeFileSync(join(root, ".store/ssh/dev/identity"), "");
    writeFileSync(join(root, "ssh"), SSH, { mode: 0o755 });
  });

  /** Connects as an `up` does. Returns the host's address. */
  async function connect(checkpoint: Checkpoint | undefined): Promise<string | undefined> {
    let address: string | undefined;
    await withEnvironment({ PATH: [root, process.env["PATH"]].join(delimiter) }, async () => {
      const note = (text: string): number => notes.push(text);
      const report = { step: note, note, progress: note };
      const host = await connectStackHost(session, { docker: undefined }, checkpoint, report);
      host?.docker.close();
      address = host?.address;
    });
    return address;
  }

  it("is reached by the address and the ssh options in the state, without a secret of the state", async () => {
    assert.equal(await connect(stateWith("ssh://jane%40corp@192.0.2.1:2222")), "192.0.2.1");
    assert.deepEqual(notes, []);
    const sent = JSON.parse(readFileSync(join(root, "arguments.json"), "utf8")) as string[];
    assert.deepEqual(sent.slice(0, 4), [...OPTIONS]);
    assert.deepEqual(sent.slice(-9), [
      ...["-l", "jane@corp", "-p", "2222", "--", "192.0.2.1"],
      ...["docker", "system", "dial-stdio"],
    ]);
  });

  it("is that of the stack's provider, not of a default one, which has no host", async () => {
    const { resources } = stateWith("ssh://azureuser@192.0.2.1:22");
    const urn = "urn:pulumi:dev::store::pulumi:providers:docker::default_5_2_0";
    const byDefault = { urn, type: "pulumi:providers:docker", inputs: { version: "5.2.0" } };
    assert.equal(await connect({ pending: [], resources: [byDefault, ...resources] }), "192.0.2.1");
  });

  it("is not checked if it doesn't answer, with the reason, because an up may replace the host", async () => {
    writeFileSync(join(root, "down"), "");
    assert.equal(await connect(stateWith("ssh://azureuser@192.0.2.1:22")), undefined);
    assert.match(
      notes.join(),
      /^the host is not checked for drift: Docker at ssh:.*192\.0\.2\.1.* doesn't answer: .*Connection timed out/,
    );
  });

  it("doesn't exist before the first up", async () => {
    assert.equal(await connect(undefined), undefined);
    assert.equal(await connect({ pending: [], resources: [] }), undefined);
    assert.deepEqual(notes, []);
  });

  it("loses the files with its login key when a down has deleted it, and not while the state has it", () => {
    removeSshFiles(session, stateWith("ssh://azureuser@192.0.2.1:22"));
    assert.ok(hasSshFiles(session));
    removeSshFiles(session, { pending: [], resources: [] });
    assert.equal(existsSync(join(root, ".store/ssh/dev")), false);
  });
});

const OPTIONS = ["-i", ".store/ssh/dev/identity", "-o", "ConnectTimeout=15"] as const;

function stateWith(host: string): Checkpoint {
  const inputs = { host, sshOpts: JSON.stringify(OPTIONS) };
  return {
    pending: [],
    resources: [{ urn: "host-docker", type: "pulumi:providers:docker", inputs }],
  };
}

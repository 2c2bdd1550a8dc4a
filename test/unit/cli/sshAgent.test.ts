import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(__dirname, "../../..");

/** Answers each request, and hangs up only when it is hung up on, as Docker's `dial-stdio` does. */
const SSH = `#!/usr/bin/env node
process.stdin.on("data", () => process.stdout.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}"));
process.stdin.on("end", () => process.exit());
`;

describe("Docker by ssh", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store-ssh-"));
    writeFileSync(join(folder, "ssh"), SSH);
    chmodSync(join(folder, "ssh"), 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("answers several calls by the connections that it keeps, and doesn't hold up the end of the command", async () => {
    const program = `
      const { Docker } = require("./packages/cli/docker/docker");
      const { SshAgent } = require("./packages/cli/host/sshAgent");
      const docker = new Docker("ssh://host", new SshAgent({ alias: "host", sshConfig: "none" }));
      const ask = () => docker.get("/version");
      Promise.all([1, 2, 3, 4, 5, 6].map(ask)).then(ask).then(() => console.log("answered"));
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--require", require.resolve("tsx/cjs"), "--eval", program],
      {
        cwd: ROOT,
        env: { ...process.env, PATH: [folder, process.env["PATH"]].join(delimiter) },
        timeout: 8000,
      },
    );
    assert.equal(stdout, "answered\n");
  });
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(__dirname, "../../..");

/** Test double of ssh: answers each request like `docker system dial-stdio`, and exits when its stdin ends. */
const SSH = `#!/usr/bin/env node
process.stdin.on("data", () => process.stdout.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}"));
process.stdin.on("end", () => process.exit());
`;

describe("SshAgent", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store-ssh-"));
    writeFileSync(join(folder, "ssh"), SSH);
    chmodSync(join(folder, "ssh"), 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("reuses its connections and doesn't keep the process alive", async () => {
    const program = `
      const { Docker } = require("./packages/cli/docker/docker");
      const { SshAgent } = require("./packages/cli/host/sshAgent");
      const docker = new Docker("ssh://host", new SshAgent({ alias: "host", sshConfig: "none" }));
      const request = () => docker.get("/version");
      Promise.all([1, 2, 3, 4, 5, 6].map(request)).then(request).then(() => console.log("answered"));
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

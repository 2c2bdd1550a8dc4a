import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { Docker } from "@store/docker/docker";
import { sshTarget } from "@store/docker/sshAgent";
import { withEnvironment } from "../environment";

const ROOT = resolve(__dirname, "../../..");

/**
 * Test double of ssh: answers each request like `docker system dial-stdio`, and exits when its stdin ends. Refuses the login to the
 * host "closed", and loses the connection to the host "broken" before it has read the request.
 */
const SSH = `#!/usr/bin/env node
if (process.argv.includes("closed")) {
  console.error("me@closed: Permission denied (publickey).");
  process.exit(255);
}
if (process.argv.includes("broken")) {
  require("node:fs").closeSync(0);
  console.error("Connection to broken closed by remote host.");
  setTimeout(() => process.exit(255), 200);
  return;
}
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

  it("takes user, port and socket from the address, as the docker command does", () => {
    assert.deepEqual(sshTarget("ssh://store-staging"), { args: ["--", "store-staging"] });
    assert.deepEqual(sshTarget("ssh://jane.doe%40corp@[::1]:2222/run/user/1000/docker.sock"), {
      args: ["-l", "jane.doe@corp", "-p", "2222", "--", "::1"],
      socket: "/run/user/1000/docker.sock",
    });
    for (const invalid of ["ssh://", "ssh://me:secret@host", "ssh://host:99999", "ssh://host?a=b"])
      assert.throws(() => sshTarget(invalid), /is not an ssh:/, invalid);
  });

  it("rejects with the message of ssh", () =>
    withEnvironment({ PATH: [folder, process.env["PATH"]].join(delimiter) }, () =>
      assert.rejects(new Docker({ host: "ssh://me@closed" }).get("/version"), {
        message:
          "Docker at ssh://me@closed doesn't answer: me@closed: Permission denied (publickey).",
      }),
    ));

  it("rejects with the message of ssh also if the connection breaks while a request is sent", () =>
    withEnvironment({ PATH: [folder, process.env["PATH"]].join(delimiter) }, () =>
      assert.rejects(
        new Docker({ host: "ssh://broken" }).post("/version", { text: "x".repeat(1_000_000) }),
        {
          message:
            "Docker at ssh://broken doesn't answer: Connection to broken closed by remote host.",
        },
      ),
    ));

  it("reuses its connections and doesn't keep the process alive", async () => {
    const program = `
      const { Docker } = require("@store/docker/docker");
      const docker = new Docker({ host: "ssh://host" });
      const request = () => docker.get("/version");
      Promise.all([1, 2, 3, 4, 5, 6].map(request)).then(request).then(() => console.log("answered"));
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--require", require.resolve("tsx/cjs"), "--eval", program],
      {
        cwd: ROOT,
        env: { ...process.env, PATH: [folder, process.env["PATH"]].join(delimiter) },
        timeout: 120_000,
      },
    );
    assert.equal(stdout, "answered\n");
  });
});

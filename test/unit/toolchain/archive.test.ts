import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Docker } from "@store/docker/docker";
import { sendArchive } from "@store/toolchain/images/archive";

describe("sendArchive", () => {
  let folder: string;
  let server: Server;
  let received: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "archive-"));
    server = createServer((request, response) => {
      received = "";
      request.on("data", (data: Buffer) => (received += data.toString()));
      request.once("end", () => response.end('{"stream":"taken"}\n'));
    }).listen(join(folder, "docker.sock"));
    await once(server, "listening");
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const send = async (...command: string[]) => {
    const said: (string | undefined)[] = [];
    const daemon = new Docker({ host: `unix://${join(folder, "docker.sock")}` });
    await sendArchive(daemon, "/build", command, ({ stream }) => said.push(stream));
    return said;
  };

  it("streams the archive", async () => {
    assert.deepEqual(await send("echo", "packed"), ["taken"]);
    assert.equal(received, "packed\n");
  });

  it("fails if tar fails or can't be started", async () => {
    await assert.rejects(send("sh", "-c", "echo half; exit 2"), /tar ended with 2/);
    await assert.rejects(send("/nowhere/tar"), /ENOENT/);
  });
});

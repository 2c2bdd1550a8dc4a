import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrashWatch } from "@store/cli/lifecycle/crashWatch";
import { parseProject } from "@store/cli/project/project";
import { findState } from "@store/cli/state/state";
import { Docker } from "@store/docker/docker";

describe("CrashWatch", () => {
  let folder: string;
  let server: Server;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-watch-"));
    server = createServer((_request, response) => response.writeHead(200).flushHeaders());
    await once(server.listen(join(folder, "docker.sock")), "listening");
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("ends its connection to Docker after a failed run, too, so that the command can exit", async () => {
    const project = parseProject(folder, "name: store\nruntime: nodejs\n");
    const file = join(folder, "Pulumi.dev.yaml");
    writeFileSync(file, "config: {}\n");
    const session = { project, stack: { name: "dev", file }, state: findState(project, {}) };
    const docker = new Docker({ host: `unix://${join(folder, "docker.sock")}` });
    const closed = new Promise<void>((resolve) =>
      server.once("connection", (socket) => socket.once("close", () => resolve())),
    );
    const failure = new Error("the engine can't be started");
    await assert.rejects(
      CrashWatch.during(session, docker, () => Promise.reject(failure)),
      failure,
    );
    await closed;
  });
});

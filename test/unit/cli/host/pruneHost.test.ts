import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pruneHost } from "@store/cli/lifecycle/pruneHost";
import { Docker } from "@store/docker/docker";

describe("pruneHost", () => {
  it("removes only the project's images that nothing has used for a week", async () => {
    const { requests, notes } = await prune(200, { ImagesDeleted: [], SpaceReclaimed: 0 });
    assert.deepEqual(requests, [
      [
        "POST /images/prune",
        { dangling: ["false"], until: ["168h"], label: ["dev.store.project=store"] },
      ],
    ]);
    assert.deepEqual(notes, []);
  });

  it("passes on Docker's refusal as a note, because the store is up", async () => {
    const { notes } = await prune(409, { message: "a prune operation is already running" });
    assert.deepEqual(notes, ["old images stay on the host: a prune operation is already running"]);
  });
});

/** Runs it against a daemon with this answer. */
async function prune(
  status: number,
  body: object,
): Promise<{ requests: [string, unknown][]; notes: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "prune-"));
  const requests: [string, unknown][] = [];
  const notes: string[] = [];
  const server = createServer(({ method, url = "" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://docker");
    requests.push([`${method ?? ""} ${pathname}`, JSON.parse(searchParams.get("filters") ?? "")]);
    response.writeHead(status).end(JSON.stringify(body));
  });
  await once(server.listen(join(folder, "docker.sock")), "listening");
  const note = (text: string): void => void notes.push(text);
  try {
    const docker = new Docker({ host: `unix://${folder}/docker.sock` });
    await pruneHost(docker, "store", { step: note, note, progress: note });
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
  return { requests, notes };
}

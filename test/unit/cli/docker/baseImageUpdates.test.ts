import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { findUpdates, writeUpdates } from "@store/cli/project/baseImageUpdates";
import { Docker } from "@store/docker/docker";

const REPOSITORY = resolve(__dirname, "../../../..");
const FILES = ["config/baseImages.json", "Pulumi.yaml", "docs/configuration.md"];
const DEFAULTS = JSON.parse(readFileSync(join(REPOSITORY, FILES[0] ?? ""), "utf8")) as Record<
  string,
  string
>;
const digest = (character: string): string => `sha256:${character.repeat(64)}`;

describe("./store images", () => {
  let root: string;
  let server: Server;
  let docker: Docker;
  /** Digests of the registry's images, by name. */
  let registry: Record<string, string>;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "store-images-"));
    for (const file of FILES) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      cpSync(join(REPOSITORY, file), join(root, file));
    }
    // A registry with the images of the defaults, under the same digests.
    registry = Object.fromEntries(
      Object.values(DEFAULTS).map((ref) => {
        const [name = "", known = digest("e")] = ref.split("@");
        return [name, known];
      }),
    );
    server = createServer((request, response) => {
      const ref = /^\/distribution\/(.+)\/json$/.exec(request.url ?? "")?.[1] ?? "";
      const found = registry[ref];
      response
        .writeHead(found === undefined ? 404 : 200)
        .end(JSON.stringify({ message: "manifest unknown", Descriptor: { digest: found } }));
    });
    const socket = join(root, "docker.sock");
    docker = new Docker({ host: `unix://${socket}` });
    await new Promise<void>((listening) => server.listen(socket, listening));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    rmSync(root, { recursive: true });
  });

  const newest = async (image: string): Promise<string | undefined> =>
    (await findUpdates(root, docker)).find((update) => update.image === image)?.newest;

  it("finds nothing where the registry has what the defaults name, and adds a digest that is missing", async () => {
    for (const { current, newest: found } of await findUpdates(root, docker))
      assert.equal(found, current.includes("@") ? current : `${current}@${digest("e")}`);
  });

  it("finds the newest compatible version, also after a gap, and a rebuilt one", async () => {
    Object.assign(registry, {
      ...{
        "haproxy:3.0.30": digest("1"),
        "haproxy:3.0.31": digest("2"),
        "haproxy:3.2.0": digest("3"),
      },
      ...{ "postgres:18.5": digest("4"), "postgres:19.0": digest("5") },
      ...{
        "node:26.11.0-slim": digest("6"),
        "node:26.11.2-slim": digest("7"),
        "node:27.0.0-slim": digest("8"),
      },
    });
    assert.equal(await newest("haproxy"), `haproxy:3.0.31@${digest("2")}`);
    assert.equal(await newest("postgres"), `postgres:18.5@${digest("4")}`);
    assert.equal(await newest("node"), `node:26.11.2-slim@${digest("7")}`);
    for (const name of Object.keys(registry)) registry[name] = digest("9");
    assert.equal(await newest("postgres"), `postgres:18.5@${digest("9")}`);
  });

  it("writes them into all files that repeat the defaults, once", async () => {
    registry["haproxy:3.0.29"] = digest("1");
    const updates = await findUpdates(root, docker);
    assert.deepEqual(writeUpdates(root, updates), FILES);
    for (const file of FILES) {
      const text = readFileSync(join(root, file), "utf8");
      assert.ok(text.includes(`haproxy:3.0.29@${digest("1")}`), file);
      assert.ok(!text.includes(DEFAULTS["haproxy"] ?? ""), file);
      assert.equal(text.split(digest("e")).length, 2, file);
    }
    assert.deepEqual(writeUpdates(root, await findUpdates(root, docker)), []);
  });

  it("changes nothing where the registry can't be reached", async () => {
    server.removeAllListeners("request");
    server.on("request", (_, response) =>
      response.writeHead(500).end('{"message":"no such host"}'),
    );
    await assert.rejects(findUpdates(root, docker), /registry of .* doesn't answer: no such host/);
  });

  it("blames the registry, not Docker, if nothing comes back, as behind a firewall that drops packets", async () => {
    server.removeAllListeners("request");
    server.on("request", () => undefined);
    await assert.rejects(
      findUpdates(root, docker, 50),
      /registry of .* doesn't answer: no answer within/,
    );
  });
});

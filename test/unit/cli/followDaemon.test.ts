import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkStackDaemon } from "@store/cli/docker/stackDaemonCheck";
import type { EngineContext } from "@store/cli/engine/setup";
import type { Resource } from "@store/cli/state/checkpoint";
import { followDaemon, withHost } from "@store/cli/lifecycle/followDaemon";
import { parseProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { InterruptedRun } from "@store/cli/state/interruptedRun";
import { takeLock } from "@store/cli/state/locks";
import { StackDaemon } from "@store/cli/state/stackDaemon";
import { checkpointFile, findState, stackLockFile } from "@store/cli/state/state";
import { CliError } from "@store/docker/cliError";
import { Docker } from "@store/docker/docker";
import { withEnvironment } from "../environment";
import { CONTAINER } from "../mocks";

const OLD = "unix:///old.sock";

describe("The Docker daemon of a stack", () => {
  let folder: string;
  let session: Session;
  let docker: Docker;
  let server: Server;
  /** Paths of the objects that the daemon has. */
  let objects: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-daemon-"));
    objects = [];
    server = createServer(({ url = "" }, response) => {
      if (url === "/info") response.end('{"ID":"A"}');
      else response.writeHead(objects.includes(url) ? 200 : 404).end("{}");
    }).listen(join(folder, "docker.sock"));
    await once(server, "listening");
    docker = new Docker({ host: `unix://${join(folder, "docker.sock")}` });
    const project = parseProject(folder, "name: store\nruntime: nodejs\n");
    const file = join(folder, "Pulumi.dev.yaml");
    writeFileSync(file, "config: {}\n");
    session = { project, stack: { name: "dev", file }, state: findState(project, {}) };
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const writeState = (...resources: object[]) => writeStateOf({ host: OLD }, ...resources);
  const writeStateOf = (inputs: object, ...resources: object[]) => {
    const provider = { urn: "urn:p", type: "pulumi:providers:docker", inputs };
    const file = checkpointFile(session.state, "dev") ?? "";
    mkdirSync(dirname(file), { recursive: true });
    const latest = { resources: [provider, ...resources] };
    writeFileSync(file, JSON.stringify({ checkpoint: { latest } }));
  };
  const container = { urn: "urn:c", type: CONTAINER, id: "c0ffee" };
  const record = () => new StackDaemon(session.state, "dev");
  const report = { step: () => undefined, note: () => undefined, progress: () => undefined };
  /** Follows the daemon with an engine that doesn't exist, so that an attempt to move the state fails. */
  const follow = (options = {}, pulumi = "/nowhere/pulumi") => {
    const engine = { pulumi, version: "3", how: "path", env: {} } as const;
    const context: EngineContext = { engine, env: {}, docker };
    return followDaemon(session, context, report, options);
  };
  const isOther = (error: unknown) =>
    error instanceof CliError &&
    /is on the Docker daemon at unix:\/\/\/old\.sock/.test(error.message);
  const startsMove = (error: unknown) =>
    error instanceof CliError && /Updating Docker's address in the state/.test(error.message);

  it("is recorded with its ID", async () => {
    await follow();
    assert.deepEqual(record().read(), { host: docker.host, id: "A" });
  });

  it("is moved by a preview only while no other run holds the stack's lock", async () => {
    writeState(container);
    objects = ["/containers/c0ffee/json"];
    const release = takeLock(stackLockFile(session.state, "dev"), "dev", "up dev");
    await assert.rejects(follow({ isPreview: true }), /Another run is working on the stack dev/);
    release();
    await assert.rejects(follow({ isPreview: true }), startsMove);
    assert.ok(!existsSync(stackLockFile(session.state, "dev")));
  });

  it("isn't recorded by a preview, which changes nothing", async () => {
    await follow({ isPreview: true });
    assert.equal(record().read(), undefined);
  });

  it("is refused before anything is done if it is another one", async () => {
    writeState(container);
    await assert.rejects(follow(), isOther);
    record().record({ host: OLD, id: "B" });
    await assert.rejects(follow(), isOther);
    await assert.rejects(checkStackDaemon(session, docker), isOther);
    assert.deepEqual(record().read(), { host: OLD, id: "B" });
  });

  it("is the same at another address if it has the same ID, or one of the stack's resources", async () => {
    writeState(container);
    objects = ["/containers/c0ffee/json"];
    await assert.rejects(follow(), startsMove);
    objects = [];
    record().record({ host: OLD, id: "A" });
    await assert.rejects(follow(), startsMove);
    await checkStackDaemon(session, docker);
  });

  it("keeps the names of what an interrupted run may have created, which an import of the state forgets", async () => {
    const file = checkpointFile(session.state, "dev") ?? "";
    writeState();
    const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
      checkpoint: { latest: object };
    };
    const resource = {
      urn: "urn:n",
      type: "docker:index/network:Network",
      inputs: { name: "edge-0a1b2c3" },
    };
    const latest = { ...checkpoint.latest, pending_operations: [{ type: "creating", resource }] };
    writeFileSync(file, JSON.stringify({ checkpoint: { latest } }));
    await assert.rejects(follow(), startsMove);
    assert.deepEqual(new InterruptedRun(session.state, "dev").resourceNames(), ["edge-0a1b2c3"]);
  });

  it("is another machine's if a shared state has resources that a new checkout's daemon doesn't have", async () => {
    const pulumi = join(folder, "pulumi");
    const provider = {
      urn: "urn:p",
      type: "pulumi:providers:docker",
      inputs: { host: docker.host },
    };
    const deployment = { resources: [provider, container] };
    writeFileSync(pulumi, `#!/bin/sh\necho '${JSON.stringify({ deployment })}'\n`, { mode: 0o700 });
    const backend = { kind: "user", url: "azblob://state", from: "Pulumi.dev.yaml" } as const;
    session = { ...session, state: { ...session.state, backend } };
    await assert.rejects(follow({}, pulumi), /are on another machine's Docker/);
    assert.equal(record().read(), undefined);
    objects = ["/containers/c0ffee/json"];
    await follow({}, pulumi);
    assert.deepEqual(record().read(), { host: docker.host, id: "A" });
  });

  it("may be any one for a stack without resources", async () => {
    writeState();
    record().record({ host: OLD, id: "B" });
    await assert.rejects(follow(), startsMove);
  });

  it("is named with the command that selects it", () =>
    withEnvironment({ DOCKER_HOST: "unix:///new.sock" }, async () => {
      writeState(container);
      await assert.rejects(follow(), (error: unknown) => {
        assert.ok(error instanceof CliError);
        assert.match(error.message, /DOCKER_HOST selects another daemon: unix:\/\/\/new\.sock/);
        assert.match(error.hint ?? "", /export DOCKER_HOST='unix:\/\/\/old\.sock'/);
        return true;
      });
    }));

  it("is named with the variables for TLS if it has certificates", async () => {
    writeStateOf({ host: "tcp://old:2376", certPath: "/my certs" }, container);
    await assert.rejects(follow(), (error: unknown) => {
      assert.ok(error instanceof CliError);
      assert.match(
        error.hint ?? "",
        /export DOCKER_HOST='tcp:\/\/old:2376'; export DOCKER_TLS_VERIFY='1'; export DOCKER_CERT_PATH='\/my certs'/,
      );
      return true;
    });
  });
});

describe("withHost", () => {
  it("changes the address in the provider and in commands on this machine, and nothing else", () => {
    const state = (host: string, certPath: string): Resource[] => [
      { urn: "p", type: "pulumi:providers:docker", inputs: { host, certPath }, outputs: { host } },
      { urn: "q", type: "pulumi:providers:docker", inputs: { host: "ssh://me@host" } },
      {
        ...{ urn: "c", type: "command:local:Command", id: "c1" },
        inputs: { create: "docker info", environment: { DOCKER_HOST: host, A: "1" } },
      },
      { urn: "d", type: CONTAINER, id: "d1", inputs: { host: OLD } },
    ];
    const moved = state(OLD, "").map(withHost(OLD, { host: "tcp://new:2376", certPath: "/certs" }));
    assert.deepEqual(JSON.parse(JSON.stringify(moved)), state("tcp://new:2376", "/certs"));
  });
});

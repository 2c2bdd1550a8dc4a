import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LABEL } from "../../../../components/container/labelNames";
import { whyUnhealthy } from "@store/cli/diagnostics/rules/health";
import { CrashWatch, type WatchedHost } from "@store/cli/lifecycle/crashWatch";
import { parseProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { checkpointFile, findState } from "@store/cli/state/state";
import { Docker } from "@store/docker/docker";
import { CONTAINER_TYPE } from "@store/cli/state/resourceTypes";

describe("CrashWatch", () => {
  let folder: string;
  let server: Server;
  let session: Session;
  let docker: Docker;
  /** Answers of the daemon by path; the stream of events is open until the test ends it. */
  let events: ServerResponse | undefined;
  let answers: Readonly<Record<string, readonly [status: number, body: unknown]>>;
  let notes: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-watch-"));
    answers = {};
    notes = [];
    server = createServer(({ url = "" }, response) => {
      const path = url.split("?", 1)[0] ?? "";
      if (path === "/events") {
        events = response;
        response.writeHead(200).flushHeaders();
        return;
      }
      const [status, body] = answers[path] ?? [404, {}];
      response.writeHead(status).end(JSON.stringify(body));
    });
    await once(server.listen(join(folder, "docker.sock")), "listening");
    const project = parseProject(folder, "name: store\nruntime: nodejs\n");
    const file = join(folder, "Pulumi.dev.yaml");
    writeFileSync(file, "config: {}\n");
    session = { project, stack: { name: "dev", file }, state: findState(project, {}) };
    docker = new Docker({ host: `unix://${join(folder, "docker.sock")}` });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const report = {
    step: () => undefined,
    note: (text: string) => void notes.push(text),
    progress: () => undefined,
  };
  const watch = (
    action: () => Promise<void>,
    host: WatchedHost = { docker, connect: () => Promise.resolve(undefined) },
  ) => CrashWatch.during(session, host, report, action);
  const send = (...actions: readonly string[]): void => {
    for (const Action of actions)
      events?.write(`${JSON.stringify({ Action, Actor: { ID: "c1" } })}\n`);
  };
  /** Gives the watch time to handle what was sent. */
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it("ends its connection to Docker after a failed run, too, so that the command can exit", async () => {
    const closed = new Promise<void>((resolve) =>
      server.once("connection", (socket) => socket.once("close", () => resolve())),
    );
    const failure = new Error("the engine can't be started");
    await assert.rejects(
      watch(() => Promise.reject(failure)),
      failure,
    );
    await closed;
    assert.deepEqual(notes, []);
  });

  it("reports that it ended early, because the run then waits longer than usual", async () => {
    await watch(async () => {
      events?.destroy();
      // The client learns of the closed connection before it gets an answer on a new one.
      await docker.ping();
      await docker.ping();
    });
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? "", /ended early .*only after its time limit/);
  });

  /** Makes container c1 one of the stack. */
  function addContainer(state: object): void {
    const file = checkpointFile(session.state, "dev") ?? "";
    mkdirSync(dirname(file), { recursive: true });
    const resources = [{ urn: "urn:c", type: CONTAINER_TYPE, id: "c1" }];
    writeFileSync(file, JSON.stringify({ checkpoint: { latest: { resources } } }));
    const labels = { [LABEL.project]: "store", [LABEL.stack]: "dev", [LABEL.service]: "orders" };
    const summary = { Id: "c1", Names: ["/orders"], Labels: labels, State: "running", Status: "" };
    answers = {
      "/containers/json": [200, [summary]],
      "/containers/c1/json": [200, { State: state, RestartCount: 3 }],
      "/containers/c1/logs": [200, ""],
      "/containers/c1": [204, {}],
    };
  }

  it("knows the exit code of a container that Docker has restarted since", async () => {
    addContainer({ Status: "running", Running: true, ExitCode: 0 });
    let removed = false;
    server.prependListener("request", ({ method }: { method?: string }) => {
      removed ||= method === "DELETE";
    });
    const { crashed } = await watch(async () => {
      const exit = { Action: "die", Actor: { ID: "c1", Attributes: { exitCode: "4" } } };
      for (const event of [{ Action: "create", Actor: { ID: "c1" } }, exit, exit, exit])
        events?.write(`${JSON.stringify(event)}\n`);
      await until(() => removed);
    });
    const crash = crashed.get("c1");
    assert.ok(crash);
    assert.equal(
      whyUnhealthy(crash, crash.container),
      "it exited with code 4, also after each of 3 restarts",
    );
  });

  it("reports a container that Docker refuses to remove, and watches the others", async () => {
    addContainer({ Status: "exited" });
    let removals = 0;
    server.prependListener("request", ({ method }: { method?: string }) => {
      if (method === "DELETE") removals++;
    });
    answers = { ...answers, "/containers/c1": [409, { message: "removal is in progress" }] };
    await watch(async () => {
      for (const round of [1, 2]) {
        send("create", "die", "die", "die");
        await until(() => removals === round);
      }
    });
    assert.match(notes[0] ?? "", /c1 exits at each start, .*removal is in progress/);
    assert.equal(removals, 2);
  });

  it("removes a new Swarm service whose instances exit at each start, and keeps the end of their log", async () => {
    writeFileSync(session.stack.file, "config: { store:hosts: 3 }\n");
    const tasks = [1, 2, 3].map((start) => ({
      ...{ ID: `t${start}`, ServiceID: "new", Slot: 1, CreatedAt: `2026-11-29T10:00:0${start}Z` },
      Spec: { ContainerSpec: { Labels: { [LABEL.service]: "orders" } } },
      Status: { Timestamp: "", State: "failed", ContainerStatus: { ExitCode: 4 } },
    }));
    answers = { "/services": [200, [{ ID: "old" }]] };
    const removed: string[] = [];
    const asked: string[] = [];
    server.prependListener("request", ({ method, url = "" }: { method?: string; url?: string }) => {
      if (method === "DELETE") removed.push(url);
      if (url.startsWith("/tasks?")) asked.push(decodeURIComponent(url));
    });
    const { crashed } = await watch(async () => {
      answers = {
        "/services": [200, [{ ID: "old" }, { ID: "new" }]],
        "/tasks": [200, tasks],
        "/tasks/t3/logs": [200, ""],
        "/services/new": [200, {}],
      };
      await until(() => removed.length > 0);
    });
    assert.deepEqual(removed, ["/services/new"]);
    // Not about a service from before the run, whose instances may crash for another reason.
    assert.match(asked[0] ?? "", /"service":\{?\[?"new"/);
    const crash = crashed.get("new");
    assert.ok(crash);
    assert.equal(
      whyUnhealthy(crash, crash.container),
      "it exited with code 4, also after each of 2 restarts",
    );
    assert.deepEqual(notes, []);
  });

  it("doesn't ask a host without workers for Swarm services", async () => {
    const paths: string[] = [];
    server.prependListener("request", ({ url = "" }: { url?: string }) => void paths.push(url));
    await watch(async () => {
      await docker.ping();
    });
    assert.deepEqual(
      paths.filter((path) => !/^\/(events|_ping)/.test(path)),
      [],
    );
  });

  it("watches a host that the run creates, and the one that replaces it", async () => {
    const hosts = [undefined, docker, undefined, docker];
    const connect = (): Promise<Docker | undefined> => Promise.resolve(hosts.shift());
    const created = async (): Promise<void> => {
      await once(server, "request");
      events?.destroy();
      await once(server, "request");
      // The answer must reach the watch before its end.
      await until(() => hosts.length === 0);
      await docker.ping();
    };
    await watch(created, { docker: undefined, connect, reconnectMs: 1 });
    assert.deepEqual(hosts, []);
  });
});

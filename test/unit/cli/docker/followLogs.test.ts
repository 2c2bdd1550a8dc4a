import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { LABEL } from "../../../../components/container/labelNames";
import { type ContainerSummary, parseContainer } from "@store/cli/docker/containers";
import { LogFollower } from "@store/cli/docker/followLogs";
import type { Session } from "@store/cli/project/session";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { createSession, writeState } from "../diagnostics/failedRun";

describe("LogFollower", () => {
  let session: Session;
  let events: PassThrough;
  /** Log streams that were opened, with their path. */
  let logs: { readonly path: string; readonly since: unknown; readonly stream: PassThrough }[];
  let printed: string[];

  beforeEach(() => {
    session = createSession({ "store:host": "local" });
    writeState(session, { containers: ["a", "b", "c"] });
    events = new PassThrough();
    logs = [];
    printed = [];
  });

  const docker = {
    list: () => Promise.resolve(["a", "b", "c"].map(summary)),
    stream: (path: string, query: { readonly since?: number }) => {
      if (path === "/events") return Promise.resolve(events);
      const stream = new PassThrough();
      logs.push({ path, since: query.since, stream });
      return Promise.resolve(stream);
    },
    unreachable: () => Promise.resolve(new CliError("Docker is gone.")),
  } as unknown as Docker;

  const start = (service?: string): { follower: LogFollower; ended: Promise<void> } => {
    const follower = new LogFollower({
      ...{ session, docker, tail: 1, containers: [parseContainer(summary("a"))], service },
      print: ({ id }, { text }) => void printed.push(`${id}: ${text}`),
    });
    return { follower, ended: follower.run() };
  };
  const started = (id: string, time: number): void =>
    void events.write(`${JSON.stringify({ Action: "start", Actor: { ID: id }, time })}\n`);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const paths = (): string[] => logs.map(({ path }) => path);

  it("follows a container again only after its log has ended", async () => {
    const { ended } = start();
    await until(() => logs.length === 1);
    logs[0]?.stream.write(frame("first\n"));
    started("a", 10);
    started("b", 11);
    await until(() => logs.length === 2);
    assert.deepEqual(paths(), ["/containers/a/logs", "/containers/b/logs"]);

    logs[0]?.stream.end();
    await until(() => printed.length === 1 && logs[0]?.stream.closed === true);
    started("a", 12);
    await until(() => logs.length === 3);
    assert.deepEqual([logs[2]?.path, logs[2]?.since], ["/containers/a/logs", 12]);
    logs[2]?.stream.end(frame("again\n"));
    logs[1]?.stream.end();
    events.end();
    await ended;
    assert.deepEqual(printed, ["a: first", "a: again"]);
  });

  it("follows the containers of the selected service only", async () => {
    const { ended } = start("service-c");
    started("b", 10);
    started("c", 10);
    await until(() => logs.length === 2);
    assert.deepEqual(paths(), ["/containers/a/logs", "/containers/c/logs"]);
    for (const { stream } of logs) stream.end();
    events.end();
    await ended;
  });

  it("fails with the reason if a stream breaks off", async () => {
    const { ended } = start();
    await until(() => logs.length === 1);
    logs[0]?.stream.end();
    events.destroy(new Error("read ECONNRESET"));
    await assert.rejects(ended, /Docker is gone/);
  });

  it("ends without a failure if it is stopped", async () => {
    const { follower, ended } = start();
    await until(() => logs.length === 1);
    follower.stop();
    logs[0]?.stream.destroy(new Error("aborted"));
    events.destroy(new Error("aborted"));
    await ended;
  });
});

function summary(id: string): ContainerSummary {
  return {
    ...{ Id: id, Names: [`/${id}`], Image: "", ImageID: "", Created: 0 },
    ...{ State: "running", Status: "Up" },
    Labels: { [LABEL.stack]: "dev", [LABEL.service]: `service-${id}` },
  };
}

/** A frame of Docker's log stream with a line of stdout. */
function frame(line: string): Buffer {
  const data = Buffer.from(`2026-01-01T00:00:00Z ${line}`);
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

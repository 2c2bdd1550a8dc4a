import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { type DockerEvent, readDockerEvents } from "@store/cli/docker/dockerEvents";

describe("readDockerEvents", () => {
  const eventsOf = async (chunks: readonly string[]): Promise<DockerEvent[]> => {
    const events: DockerEvent[] = [];
    for await (const event of readDockerEvents(Readable.from(chunks))) events.push(event);
    return events;
  };

  it("reads events of Docker 29, which have no fields beside Actor, and of earlier releases", async () => {
    const latest = { Action: "die", Actor: { ID: "c1", Attributes: { exitCode: "3" } }, time: 7 };
    const earlier = { status: "die", id: "c1", from: "image", ...latest };
    const expected = { id: "c1", action: "die", time: 7, attributes: { exitCode: "3" } };
    for (const event of [latest, earlier])
      assert.deepEqual(await eventsOf([`${JSON.stringify(event)}\n`]), [expected]);
  });

  it("reads lines that arrive in pieces, and skips those without an object", async () => {
    const start = JSON.stringify({ Action: "start", Actor: { ID: "c2" } });
    const text = `${start}\n\n${JSON.stringify({ Action: "prune" })}\n${start}\n`;
    const pieces = [text.slice(0, 10), text.slice(10, 60), text.slice(60)];
    const ids = (await eventsOf(pieces)).map(({ id }) => id);
    assert.deepEqual(ids, ["c2", "c2"]);
  });
});

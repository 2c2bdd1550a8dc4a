import type { Readable } from "node:stream";

/** An event of Docker's. */
export interface DockerEvent {
  /** ID of the object. */
  readonly id: string;
  readonly action: string;
  /** In seconds since 1970. */
  readonly time: number | undefined;
  /** Labels of a container and, beside them, details such as exitCode. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Reads the answer to GET /events: a JSON object in each line. Skips what has no object. */
export async function* readDockerEvents(stream: Readable): AsyncGenerator<DockerEvent> {
  let incomplete = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const lines = (incomplete + String(chunk)).split("\n");
    incomplete = lines.pop() ?? "";
    yield* lines.filter((line) => line.trim() !== "").flatMap(parseEvent);
  }
}

/** @see https://docs.docker.com/reference/api/engine/version-history/#v152-api-changes (the fields beside Actor are gone) */
function parseEvent(line: string): DockerEvent[] {
  const {
    Action: action,
    Actor,
    time,
  } = JSON.parse(line) as {
    Action?: string;
    Actor?: { ID?: string; Attributes?: Readonly<Record<string, string>> };
    time?: number;
  };
  if (action === undefined || Actor?.ID === undefined) return [];
  return [{ id: Actor.ID, action, time, attributes: Actor.Attributes ?? {} }];
}

import type { Readable } from "node:stream";
import { Docker } from "@store/docker/docker";
import type { StoreContainer } from "./containers";

/** A line of a container's log, with Docker's timestamp. */
export interface LogLine {
  readonly time: string;
  readonly text: string;
}

/** Reads the last lines of a container's log, stdout and stderr together. */
export async function lastLines(
  docker: Docker,
  container: Parameters<typeof readLog>[1],
  count: number,
  signal?: AbortSignal,
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of readLog(docker, container, { tail: count, signal })) lines.push(line);
  return lines.slice(-count);
}

/**
 * Reads the log of a container.
 *
 * @param options.tail Number of last lines. @default all
 * @param options.follow Continues until the container exits or the signal aborts. @default false
 * @param options.since In seconds since 1970. @default from the start
 */
export async function* readLog(
  docker: Docker,
  { id, task }: Pick<StoreContainer, "id" | "task">,
  options: {
    readonly tail?: number;
    readonly follow?: boolean;
    readonly since?: number;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<LogLine> {
  const response = await docker.stream(
    // The manager reads the log of an instance on any machine.
    `/${task === undefined ? "containers" : "tasks"}/${id}/logs`,
    {
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: options.follow ?? false,
      tail: options.tail ?? "all",
      ...(options.since !== undefined && { since: options.since }),
    },
    options.signal,
  );
  yield* splitLines(frames(response));
}

/**
 * Decodes Docker's multiplexed stream. Each frame has a header of 8 bytes: the stream (1 stdout, 2 stderr), three zeros and the
 * length as a big-endian 32-bit integer.
 *
 * @see https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
 */
export async function* frames(stream: Readable): AsyncGenerator<{ stream: number; data: Buffer }> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (let length; rest.length >= 8 && rest.length >= 8 + (length = rest.readUInt32BE(4));) {
      yield { stream: rest[0] ?? 1, data: rest.subarray(8, 8 + length) };
      rest = rest.subarray(8 + length);
    }
  }
}

/** Splits stdout and stderr into complete lines. */
async function* splitLines(
  pieces: AsyncIterable<{ stream: number; data: Buffer }>,
): AsyncGenerator<LogLine> {
  const partialLines = new Map<number, string>();
  for await (const { stream, data } of pieces) {
    const lines = ((partialLines.get(stream) ?? "") + data.toString("utf8")).split("\n");
    partialLines.set(stream, lines.pop() ?? "");
    for (const line of lines) yield parseLine(line);
  }
  for (const line of partialLines.values()) if (line !== "") yield parseLine(line);
}

export function parseLine(line: string): LogLine {
  const [, time, text] = /^(\d{4}-\d\d-\d\dT\S+) (.*)$/s.exec(line) ?? [];
  return { time: time ?? "", text: (text ?? line).replace(/\r$/, "") };
}

import type { Readable } from "node:stream";
import { Docker } from "./docker";

/** A line that a container wrote, with Docker's time stamp. */
export interface LogLine {
  readonly time: string;
  readonly text: string;
}

/** The last lines of a container's log, stdout and stderr together. */
export async function lastLines(docker: Docker, id: string, count: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of readLog(docker, id, { tail: count })) lines.push(line);
  return lines.slice(-count);
}

/** The log of a container; with `follow` it goes on until the container ends or the signal is given. */
export async function* readLog(
  docker: Docker,
  id: string,
  options: {
    readonly tail?: number;
    readonly follow?: boolean;
    readonly since?: number;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<LogLine> {
  const response = await docker.stream(
    `/containers/${id}/logs`,
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
 * What a stream of Docker's carries. Without a terminal each piece of output comes in a frame: one byte for the stream that
 * it belongs to, three of nothing, four for its length.
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

/** The lines of stdout and of stderr, each whole. */
async function* splitLines(
  pieces: AsyncIterable<{ stream: number; data: Buffer }>,
): AsyncGenerator<LogLine> {
  const unfinished = new Map<number, string>();
  for await (const { stream, data } of pieces) {
    const lines = ((unfinished.get(stream) ?? "") + data.toString("utf8")).split("\n");
    unfinished.set(stream, lines.pop() ?? "");
    for (const line of lines) yield parseLine(line);
  }
  for (const line of unfinished.values()) if (line !== "") yield parseLine(line);
}

export function parseLine(line: string): LogLine {
  const [, time, text] = /^(\d{4}-\d\d-\d\dT\S+) (.*)$/s.exec(line) ?? [];
  return { time: time ?? "", text: (text ?? line).replace(/\r$/, "") };
}

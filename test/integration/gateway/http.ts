import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Milliseconds until the first byte. */
  readonly milliseconds: number;
}

/** Sends bytes, and reads the response until the server closes the connection. */
export function send(address: string, request: string): Promise<Answer> {
  const { hostname, port } = new URL(address);
  return new Promise((done, reject) => {
    let text = "";
    let milliseconds = NaN;
    const started = Date.now();
    const socket = connect(Number(port), hostname, () => socket.write(request, "latin1"));
    socket.setEncoding("utf8");
    socket.once("data", () => (milliseconds = Date.now() - started));
    socket.on("data", (data: string) => {
      text += data;
      // A server that rejects an incomplete request waits for the client to close.
      if (isComplete(text)) socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      text = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
      const end = text.indexOf("\r\n\r\n");
      const head = text.slice(0, end);
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
      const chunked = /^transfer-encoding: chunked/im.test(head);
      const rest = text.slice(end + 4);
      done({ status, head, body: chunked ? unchunked(rest) : rest, milliseconds });
    });
  });
}

/** Returns whether a response is complete. Without a length, it is complete when the server closes the connection. */
function isComplete(answer: string): boolean {
  const [, length, body] = /^content-length: (\d+)\r\n.*?\r\n\r\n(.*)$/ims.exec(answer) ?? [];
  return body !== undefined && Buffer.byteLength(body) >= Number(length);
}

function unchunked(text: string): string {
  const [size = "0"] = text.split("\r\n", 1);
  const length = parseInt(size, 16);
  // The last chunk, or none: the response to HEAD has no body.
  if (!(length > 0)) return "";
  const start = size.length + 2;
  return text.slice(start, start + length) + unchunked(text.slice(start + length + 2));
}

/** Asserts that a page is self-contained and allows no other sources. */
export function assertPage({ status, head, body }: Answer, expected: number, words: RegExp): void {
  assert.equal(status, expected, body);
  const header = (name: string) => new RegExp(`^${name}: (.*)\\r$`, "im").exec(head)?.[1];
  assert.equal(header("content-type"), "text/html; charset=utf-8");
  assert.equal(header("cache-control"), "no-store");
  assert.equal(header("x-content-type-options"), "nosniff");
  assert.equal(header("x-gateway-answer"), undefined);
  assert.match(body, /^<!doctype html><html lang="en-AU">/);
  assert.match(body, words);
  assert.match(body, new RegExp(`Reference: ${header("x-request-id")}<`));
  assert.doesNotMatch(body, /<script|<link|src=|url\(|"type"/);
  const [, style = ""] = /<style>(.*)<\/style>/s.exec(body) ?? [];
  const hash = createHash("sha256").update(style).digest("base64");
  assert.equal(
    header("content-security-policy"),
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
}

export async function assertProblem(response: Response): Promise<void> {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const document = (await response.json()) as Record<string, unknown>;
  assert.equal(document["status"], response.status);
  assert.equal(document["type"], "about:blank");
  for (const field of ["title", "detail"]) assert.equal(typeof document[field], "string");
  assert.equal(document["instance"], `urn:store:request:${response.headers.get("x-request-id")}`);
}

/** Returns some properties of an object. */
export function pick(value: unknown, ...keys: readonly string[]): Record<string, unknown> {
  const record = value as Record<string, unknown>;
  return Object.fromEntries(keys.map((key) => [key, record[key]]));
}

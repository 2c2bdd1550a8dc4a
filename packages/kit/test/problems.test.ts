import assert from "node:assert/strict";
import { connect } from "node:net";
import { createDatabase, type RunningService, type TestDatabase } from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("validation and problem documents", () => {
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
    await service.ready();
  });
  after(() => service.stop());

  interface TestRequest {
    readonly path?: string;
    readonly method?: string;
    readonly type?: string;
    readonly body?: string | Uint8Array;
  }
  const send = ({
    path = "/notes",
    method = "POST",
    type = "application/json",
    body,
  }: TestRequest) =>
    service.fetch(path, {
      method,
      headers: { "content-type": type },
      ...(body === undefined ? {} : { body }),
    });
  const problemOf = async (response: Response) => {
    assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
    const document = (await response.json()) as Record<string, unknown>;
    assert.equal(document["status"], response.status);
    for (const field of ["type", "title", "detail", "instance"])
      assert.equal(typeof document[field], "string");
    assert.equal(document["instance"], `urn:store:request:${response.headers.get("x-request-id")}`);
    return document as { type: string; detail: string; errors?: unknown[] };
  };
  const cases: [string, TestRequest, number, unknown?][] = [
    ["bad JSON", { body: "{" }, 400],
    ["no body", {}, 400],
    ["invalid UTF-8", { body: Buffer.from('{"id":1,"text":"\xff"}', "latin1") }, 400],
    ["a wrong content type", { body: "id=1", type: "application/x-www-form-urlencoded" }, 415],
    ["a prototype in the body", { body: '{"id":1,"text":"x","__proto__":{"a":1}}' }, 400],
    ["10 MB", { body: Buffer.alloc(10_000_000, " ") }, 413],
    ["an unknown path", { path: "/nothing" }, 404],
    ["an unknown path with a bad body", { path: "/nothing", body: "{", type: "text/plain" }, 404],
    ["a malformed path", { path: "/%ff" }, 400],
    [
      "an unknown field",
      { body: '{"id":1,"text":"x","price":3}' },
      400,
      [{ in: "body", pointer: "/price", message: "is not a field of this request" }],
    ],
    [
      "more unknown fields than are reported",
      {
        body: JSON.stringify({
          id: 1,
          text: "x",
          ...Object.fromEntries(Array.from("abcdefghij").map((name) => [name, 0])),
        }),
      },
      400,
      Array.from("abcdefgh").map((name) => ({
        in: "body",
        pointer: `/${name}`,
        message: "is not a field of this request",
      })),
    ],
    [
      "a missing field",
      { body: '{"id":1}' },
      400,
      [{ in: "body", pointer: "/text", message: "is missing" }],
    ],
    [
      "a string for a number",
      { body: '{"id":"1","text":"x"}' },
      400,
      [{ in: "body", pointer: "/id", message: "must be integer" }],
    ],
    [
      "two invalid fields",
      { body: '{"id":0,"text":""}' },
      400,
      [
        { in: "body", pointer: "/id", message: "must be >= 1" },
        { in: "body", pointer: "/text", message: "must not have fewer than 1 characters" },
        {
          in: "body",
          pointer: "/text",
          message: "must contain a visible character and no control characters",
        },
      ],
    ],
    [
      "an unknown query parameter",
      { path: "/notes?limt=5", body: '{"id":1,"text":"x"}' },
      400,
      [{ in: "query", pointer: "/limt", message: "is not a field of this request" }],
    ],
    ...[" ", "\u200b", "\u00a0\u200d\u2060", "\ufeff", "\u3164", "\u2800", "\u200e\u200f"].map(
      (text): [string, TestRequest, number] => [
        `invisible text: ${JSON.stringify(text)}`,
        { body: JSON.stringify({ id: 1, text }) },
        400,
      ],
    ),
    ...["a\u202eb", "\u2066a", "a\u2069", "a\nb", "a\u2028b", "a\u0085b"].map(
      (text): [string, TestRequest, number] => [
        `control characters: ${JSON.stringify(text)}`,
        { body: JSON.stringify({ id: 1, text }) },
        400,
      ],
    ),
    ["a NUL", { body: String.raw`{"id":1,"text":"\u0000"}` }, 400],
    ["an unpaired surrogate", { body: String.raw`{"id":1,"text":"\ud83d"}` }, 400],
  ];
  for (const [description, request, status, errors] of cases) {
    it(`responds ${status} to ${description}`, async () => {
      const response = await send(request);
      assert.equal(response.status, status);
      const document = await problemOf(response);
      if (errors !== undefined) assert.deepEqual(document.errors, errors);
    });
  }

  const malformed: [string, string, number][] = [
    ["bytes that aren't HTTP", "hello\r\n\r\n", 400],
    ["an endless header", `GET /notes HTTP/1.1\r\nhost: x\r\na: ${"x".repeat(20_000)}`, 431],
    [
      "a body with two lengths",
      "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
      400,
    ],
  ];
  for (const [description, bytes, status] of malformed) {
    it(`responds ${status} to ${description} and keeps serving`, async () => {
      const response = await sendBytes(service.url, bytes);
      const [head = "", body = ""] = response.split("\r\n\r\n");
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
      const header = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1];
      await problemOf(
        new Response(body, {
          status,
          headers: {
            "content-type": header("content-type") ?? "",
            "x-request-id": header("x-request-id") ?? "",
          },
        }),
      );
      assert.equal(header("content-length"), String(Buffer.byteLength(body)));
      assert.equal((await service.fetch("/healthz")).status, 200);
    });
  }

  it("accepts text in every language, and emoji", async () => {
    const texts = ["Zoë", "می\u200cخواهم", "\u200fשלום!", "👩\u200d🚀", "한국", "ก็", "-", "7"];
    for (const [at, text] of texts.entries()) {
      const response = await send({ body: JSON.stringify({ id: 500 + at, text }) });
      assert.equal(response.status, 201, text);
    }
  });

  it("responds 405 with the allowed methods", async () => {
    const response = await send({ path: "/slow", method: "PUT", body: "{", type: "text/plain" });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, HEAD");
    await problemOf(response);
  });
  it("has the problem type that the route has chosen", async () => {
    const response = await service.fetch("/teapot");
    assert.equal(response.status, 418);
    const { type, detail } = await problemOf(response);
    assert.deepEqual(
      { type, detail },
      { type: "urn:store:problem:teapot", detail: "Short and stout." },
    );
  });
  it("reveals nothing about an internal error, which is logged", async () => {
    const response = await service.fetch("/bug", {
      headers: { "x-request-id": "find-this-bug" },
    });
    assert.equal(response.status, 500);
    assert.doesNotMatch(JSON.stringify(await problemOf(response)), /hunter2|\.ts/);
    const line = await service.waitForLog("the bug", ({ level }) => level === "error");
    assert.equal(line["requestId"], "find-this-bug");
    assert.match(JSON.stringify(line["err"]), /main\.ts/);
  });
  it("reports no success for a transaction that PostgreSQL has rolled back", async () => {
    const response = await service.fetch("/notes/ignoring-errors", { method: "POST" });
    assert.equal(response.status, 500);
    assert.deepEqual(await database.query("SELECT FROM notes WHERE id = 999"), []);
    // The connection goes on working.
    const next = await send({ body: '{"id":998,"text":"kept"}' });
    assert.equal(next.status, 201);
  });

  it("leaves the rows of a database error out of the log", async () => {
    const note = JSON.stringify({ id: 7, text: "jane@example.org" });
    assert.equal((await send({ body: note })).status, 201);
    assert.equal((await send({ body: note })).status, 500);
    await service.waitForLog("the duplicate", ({ err }) =>
      /duplicate key/.test(JSON.stringify(err)),
    );
    assert.doesNotMatch(JSON.stringify(await service.flushedLog()), /jane@example\.org|Key \(id\)/);
  });
  it("responds quickly and briefly to an invalid body of 60 kB", async () => {
    const fields = Array.from({ length: 6_000 }, (_, index) => [`f${index}`, 1] as const);
    const started = Date.now();
    const response = await send({ body: JSON.stringify(Object.fromEntries(fields)) });
    assert.equal(response.status, 400);
    const { errors = [] } = await problemOf(response);
    assert.ok(errors.length <= 20, `${errors.length} errors`);
    assert.ok(Date.now() - started < 15_000);
  });
});

/** Sends raw bytes and returns everything that comes back until the server closes the connection. */
async function sendBytes(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  return Buffer.concat((await socket.toArray()) as Buffer[]).toString();
}

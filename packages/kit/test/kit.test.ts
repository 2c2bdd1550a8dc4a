import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, get, type IncomingMessage, type Server } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createDatabase,
  createStaff,
  StartupError,
  repositoryRoot,
  startPostgres,
  startService,
  stopPostgres,
  until,
  type RunningService,
  type TestDatabase,
} from "./support/index.ts";

const NOBODY = { OTHER_URL: "http://127.0.0.1:9" };
const staff = createStaff();

const startSample = (environment: Readonly<Record<string, string>>) =>
  startService(
    "sample",
    { ...NOBODY, ...staff.environment, ...environment },
    { folder: "packages/kit/test/sample" },
  );

describe("a service made of the kit", function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
    await service.ready();
  });
  after(() => service.stop());

  describe("environment", () => {
    const failure = async (environment: Readonly<Record<string, string>>) => {
      const error: unknown = await startSample({ ...database.environment, ...environment }).then(
        () => assert.fail("it started"),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof StartupError, String(error));
      assert.equal(error.exitCode, 1);
      assert.equal(error.lines.length, 1, `one line and no stack: ${error.message}`);
      return (JSON.parse(error.lines[0] ?? "") as { msg: string }).msg;
    };
    const cases: [Record<string, string>, RegExp][] = [
      [{ PORT: "" }, /PORT is missing/],
      [{ PORT: "http" }, /PORT must be an integer from 0 to 65535, not "http"/],
      [{ PORT: "70000" }, /PORT must be/],
      [{ PORT: "", LOG_LEVEL: "loud" }, /PORT is missing.*LOG_LEVEL must be one of .*not "loud"/],
      [{ DRAIN_SECONDS: "-1" }, /DRAIN_SECONDS must be/],
      [
        { DATABASE_HOST: "", DATABASE_USER: "" },
        /DATABASE_HOST is missing; DATABASE_USER is missing/,
      ],
      [{ DATABASE_PASSWORD_FILE: "" }, /DATABASE_PASSWORD_FILE is missing/],
      [
        { DATABASE_PASSWORD_FILE: "/nowhere" },
        /DATABASE_PASSWORD_FILE names a file that can't be read/,
      ],
      [{ OTHER_URL: "" }, /OTHER_URL is missing/],
      [{ STAFF_TOKEN_FILE: "" }, /STAFF_TOKEN_FILE is missing/],
      [{ STAFF_TOKEN_FILE: "/dev/null" }, /STAFF_TOKEN_FILE names a file that is empty/],
      [{ OTHER_URL: "other:3000" }, /OTHER_URL must be a URL such as/],
      [{ HOST: "203.0.113.7" }, /HOST 203\.0\.113\.7 is no address of this machine/],
    ];
    for (const [environment, expected] of cases) {
      it(`refuses ${JSON.stringify(environment)}`, async () => {
        assert.match(await failure(environment), expected);
      });
    }
    it("refuses a port that is taken", async () => {
      assert.match(await failure({ PORT: new URL(service.url).port }), /PORT \d+ is taken/);
    });
  });

  describe("problems", () => {
    interface Sent {
      readonly path?: string;
      readonly method?: string;
      readonly type?: string;
      readonly body?: string | Uint8Array;
    }
    const send = ({ path = "/notes", method = "POST", type = "application/json", body }: Sent) =>
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
      assert.equal(
        document["instance"],
        `urn:store:request:${response.headers.get("x-request-id")}`,
      );
      return document as { type: string; detail: string; errors?: unknown[] };
    };
    const cases: [string, Sent, number, unknown?][] = [
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
        "a field too many",
        { body: '{"id":1,"text":"x","price":3}' },
        400,
        [{ in: "body", pointer: "/price", message: "is not a field of this request" }],
      ],
      [
        "more fields too many than are told",
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
        "a field too few",
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
        "two wrong fields",
        { body: '{"id":0,"text":""}' },
        400,
        [
          { in: "body", pointer: "/id", message: "must be >= 1" },
          { in: "body", pointer: "/text", message: "must not have fewer than 1 characters" },
          {
            in: "body",
            pointer: "/text",
            message: "must have something in it that can be seen, and no control characters",
          },
        ],
      ],
      [
        "an unknown parameter of the query",
        { path: "/notes?limt=5", body: '{"id":1,"text":"x"}' },
        400,
        [{ in: "query", pointer: "/limt", message: "is not a field of this request" }],
      ],
      ...[" ", "\u200b", "\u00a0\u200d\u2060", "\ufeff", "\u3164", "\u2800", "\u200e\u200f"].map(
        (text): [string, Sent, number] => [
          `nothing to be seen: ${JSON.stringify(text)}`,
          { body: JSON.stringify({ id: 1, text }) },
          400,
        ],
      ),
      ...["a\u202eb", "\u2066a", "a\u2069", "a\nb", "a\u2028b", "a\u0085b"].map(
        (text): [string, Sent, number] => [
          `control characters: ${JSON.stringify(text)}`,
          { body: JSON.stringify({ id: 1, text }) },
          400,
        ],
      ),
      ["a NUL", { body: String.raw`{"id":1,"text":"\u0000"}` }, 400],
      ["half a character", { body: String.raw`{"id":1,"text":"\ud83d"}` }, 400],
    ];
    for (const [what, sent, status, errors] of cases) {
      it(`answers ${status} to ${what}`, async () => {
        const response = await send(sent);
        assert.equal(response.status, status);
        const document = await problemOf(response);
        if (errors !== undefined) assert.deepEqual(document.errors, errors);
      });
    }

    const malformed: [string, string, number][] = [
      ["what isn't HTTP", "hello\r\n\r\n", 400],
      [
        "a header without an end",
        `GET /notes HTTP/1.1\r\nhost: x\r\na: ${"x".repeat(20_000)}`,
        431,
      ],
      [
        "a body of two lengths",
        "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        400,
      ],
    ];
    for (const [what, bytes, status] of malformed) {
      it(`answers ${status} to ${what}, and serves on`, async () => {
        const answer = await exchange(service.url, bytes);
        const [head = "", body = ""] = answer.split("\r\n\r\n");
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

    it("takes text of every language, and emoji", async () => {
      const texts = ["Zoë", "می\u200cخواهم", "\u200fשלום!", "👩\u200d🚀", "한국", "ก็", "-", "7"];
      for (const [at, text] of texts.entries()) {
        const response = await send({ body: JSON.stringify({ id: 500 + at, text }) });
        assert.equal(response.status, 201, text);
      }
    });

    it("answers 405 with what is allowed", async () => {
      const response = await send({ path: "/slow", method: "PUT", body: "{", type: "text/plain" });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      await problemOf(response);
    });
    it("names the type of a problem that a program may want to tell apart", async () => {
      const response = await service.fetch("/teapot");
      assert.equal(response.status, 418);
      const { type, detail } = await problemOf(response);
      assert.deepEqual(
        { type, detail },
        { type: "urn:store:problem:teapot", detail: "Short and stout." },
      );
    });
    it("tells nothing of a mistake of our own, and logs it", async () => {
      const response = await service.fetch("/bug", {
        headers: { "x-request-id": "find-this-bug" },
      });
      assert.equal(response.status, 500);
      assert.doesNotMatch(JSON.stringify(await problemOf(response)), /hunter2|\.ts/);
      const line = await service.waitForLog("the bug", ({ level }) => level === "error");
      assert.equal(line["requestId"], "find-this-bug");
      assert.match(JSON.stringify(line["err"]), /main\.ts/);
    });
    it("doesn't repeat a row of the database in its log", async () => {
      const note = JSON.stringify({ id: 7, text: "jane@example.org" });
      assert.equal((await send({ body: note })).status, 201);
      assert.equal((await send({ body: note })).status, 500);
      await service.waitForLog("the duplicate", ({ err }) => /duplicate key/.test(JSON.stringify(err)));
      assert.doesNotMatch(JSON.stringify(await service.flushedLog()), /jane@example\.org|Key \(id\)/);
    });
    it("refuses a wrong body of 60 kB quickly and with a short answer", async () => {
      const fields = Array.from({ length: 6_000 }, (_, index) => [`f${index}`, 1] as const);
      const started = Date.now();
      const response = await send({ body: JSON.stringify(Object.fromEntries(fields)) });
      assert.equal(response.status, 400);
      const { errors = [] } = await problemOf(response);
      assert.ok(errors.length <= 20, `${errors.length} errors`);
      assert.ok(Date.now() - started < 5_000);
    });
  });

  describe("what everybody may ask", () => {
    it("is alive, ready and measured", async () => {
      assert.deepEqual(await service.json("/healthz"), { status: "alive" });
      assert.deepEqual(await service.json("/readyz"), { status: "ready" });
      await service.fetch("/teapot");
      const metrics = await (await service.fetch("/metrics")).text();
      assert.match(
        metrics,
        /http_request_duration_seconds_count\{method="GET",route="\/teapot",status="418"\} \d/,
      );
      assert.match(metrics, /database_connections\{state="idle"\} \d/);
    });
    it("publishes its interface, without what is internal under /api", async () => {
      interface Document {
        readonly openapi: string;
        readonly info: { readonly version: string };
        readonly paths: Record<string, Record<string, { readonly responses: object }>>;
      }
      const whole = (await service.json("/openapi.json")) as Document;
      const open = (await service.json("/api/sample/openapi.json")) as Document;
      assert.equal(whole.openapi, "3.1.0");
      assert.equal(whole.info.version, "1.2.3");
      assert.ok(whole.paths["/internal/secret"] !== undefined);
      assert.equal(open.paths["/internal/secret"], undefined);
      assert.deepEqual(Object.keys(open.paths["/notes"]?.["post"]?.responses ?? {}), [
        "201",
        "4XX",
        "5XX",
      ]);
      assert.equal(open.paths["/healthz"], undefined);
      const { responses } = open.paths["/notes"]?.["post"] as {
        responses: Record<string, { headers: object }>;
      };
      assert.deepEqual(Object.keys(responses["4XX"]?.headers ?? {}), [
        ...["x-request-id", "allow", "retry-after", "www-authenticate"],
      ]);
      assert.deepEqual(Object.keys(responses["5XX"]?.headers ?? {}), [
        ...["x-request-id", "retry-after"],
      ]);
    });
    it("takes over a request's id, and makes one where there is none or a bad one", async () => {
      const idFor = async (id?: string) =>
        (
          await service.fetch("/healthz", {
            headers: id === undefined ? {} : { "x-request-id": id },
          })
        ).headers.get("x-request-id");
      assert.equal(await idFor("abc-123_XYZ"), "abc-123_XYZ");
      assert.match((await idFor()) ?? "", /^[0-9a-f-]{36}$/);
      assert.match((await idFor('x" injected')) ?? "", /^[0-9a-f-]{36}$/);
    });
    it("logs a request by its route, without path, query, address or health checks", async () => {
      await service.fetch("/teapot?email=jane@example.org", {
        headers: { "x-request-id": "log-me-please" },
      });
      await service.fetch("/nothing/jane@example.org");
      const line = await service.waitForLog(
        "the request",
        ({ requestId }) => requestId === "log-me-please",
      );
      assert.deepEqual(
        { ...line, time: "", ms: 0 },
        {
          level: "info",
          time: "",
          service: "sample",
          requestId: "log-me-please",
          method: "GET",
          route: "/teapot",
          status: 400,
          ms: 0,
          msg: "Request",
        },
      );
      const log = JSON.stringify(await service.flushedLog());
      assert.doesNotMatch(log, /jane@example|127\.0\.0\.1:\d+"?,"remote|\/healthz/);
    });
  });

  describe("what is for the store's own people", () => {
    const put = (authorization?: string, body = '{"id":1}') =>
      service.fetch("/staff", {
        method: "PUT",
        headers: {
          "content-type": "application/json",
          ...(authorization === undefined ? {} : { authorization }),
        },
        body,
      });

    it("lets them in", async () => {
      assert.equal((await put(staff.headers.authorization)).status, 200);
      assert.equal((await put(`bearer  ${staff.token}`)).status, 200);
    });
    for (const [what, authorization] of [
      ["no token", undefined],
      ["another token", `Bearer ${"0".repeat(32)}`],
      ["the start of the token", `Bearer ${staff.token.slice(0, -1)}`],
      ["more than the token", `Bearer ${staff.token}0`],
      ["an empty token", "Bearer "],
      ["another scheme", `Basic ${staff.token}`],
    ] as const) {
      it(`answers 401 to ${what}, whatever the body`, async () => {
        for (const body of ['{"id":1}', "{"]) {
          const response = await put(authorization, body);
          assert.equal(response.status, 401);
          assert.equal(response.headers.get("www-authenticate"), "Bearer");
          assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
          assert.ok(!(await response.text()).includes(staff.token));
        }
      });
    }
    it("takes a new token without a restart, and none while the file is empty", async () => {
      try {
        writeFileSync(staff.tokenFile, "another\n");
        assert.equal((await put("Bearer another")).status, 200);
        assert.equal((await put(staff.headers.authorization)).status, 401);
        writeFileSync(staff.tokenFile, "");
        assert.equal((await put("Bearer ")).status, 401);
      } finally {
        writeFileSync(staff.tokenFile, staff.token);
      }
    });
    it("says so in the published document, and the token is in no log", async () => {
      const document = (await service.json("/api/sample/openapi.json")) as {
        paths: Record<string, Record<string, { security?: unknown }>>;
        components: { securitySchemes: Record<string, { type: string; scheme: string }> };
      };
      assert.deepEqual(document.paths["/staff"]?.["put"]?.security, [{ staff: [] }]);
      const { type, scheme } = document.components.securitySchemes["staff"] ?? {};
      assert.deepEqual({ type, scheme }, { type: "http", scheme: "bearer" });
      assert.ok(!JSON.stringify(await service.flushedLog()).includes(staff.token));
    });
  });

  describe("calling another service", () => {
    let other: Server;
    let caller: RunningService;
    let calling: Readonly<Record<string, string>>;
    let answers: ((request: IncomingMessage) => number | "cut" | "silent" | "stalled" | "torn")[];
    const seen: (string | string[] | undefined)[] = [];

    before(async () => {
      other = createServer((request, response) => {
        seen.push(request.headers["x-request-id"]);
        const answer = answers.shift()?.(request) ?? 200;
        if (answer === "cut") request.socket.destroy();
        else if (answer === "stalled" || answer === "torn") {
          response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
          response.write('{"from":', () => {
            if (answer === "torn") request.socket.destroy();
          });
        } else if (answer !== "silent")
          response
            .writeHead(answer, { "content-type": "application/json" })
            .end('{"from":"other"}');
      }).listen(0, "127.0.0.1");
      await until("other listens", () => other.listening);
      const { port } = other.address() as AddressInfo;
      calling = { ...database.environment, OTHER_URL: `http://127.0.0.1:${port}/` };
      caller = await startSample(calling);
    });
    after(async () => {
      await caller.stop();
      other.closeAllConnections();
      other.close();
    });
    beforeEach(() => {
      answers = [];
      seen.length = 0;
    });

    it("passes the request's id on", async () => {
      const answer = await caller.json("/other", {
        headers: { "x-request-id": "across-services" },
      });
      assert.deepEqual(answer, { from: "other" });
      assert.deepEqual(seen, ["across-services"]);
    });
    it("asks again when an instance has just gone", async () => {
      answers = [() => "cut", () => 503];
      assert.equal((await caller.fetch("/other")).status, 200);
      assert.equal(seen.length, 3);
    });
    it("says 503 when it stays away, and when it fails", async () => {
      answers = [() => "cut", () => "cut", () => "cut"];
      const away = await caller.fetch("/other");
      assert.equal(away.status, 503);
      assert.equal(away.headers.get("retry-after"), "1");
      answers = [() => 500];
      assert.equal((await caller.fetch("/other")).status, 503);
      assert.equal(seen.length, 4, "a failure isn't asked again");
    });
    it("says 503 when it refuses for now, and doesn't press it", async () => {
      answers = [() => 429];
      assert.equal((await caller.fetch("/other")).status, 503);
      assert.equal(seen.length, 1);
    });
    it("waits no longer than it was told", async () => {
      answers = [() => "silent"];
      const impatient = await startSample({ ...calling, OTHER_TIMEOUT_MS: "500" });
      const asked = Date.now();
      assert.equal((await impatient.fetch("/other")).status, 503);
      const waited = Date.now() - asked;
      assert.ok(waited >= 490 && waited < 10_000, `${waited} ms`);
      assert.equal(seen.length, 1, "one that was silent isn't asked again");
      await impatient.waitForLog("the reason", ({ msg }) => msg === "other: no answer within 500 ms");
      await impatient.stop();
    });
    it("waits no longer for the rest of an answer, and asks again where it broke off", async () => {
      answers = [() => "stalled"];
      const impatient = await startSample({ ...calling, OTHER_TIMEOUT_MS: "500" });
      assert.equal((await impatient.fetch("/other")).status, 503);
      assert.equal(seen.length, 1);
      await impatient.stop();
      answers = [() => "torn"];
      assert.deepEqual(await caller.json("/other"), { from: "other" });
      assert.equal(seen.length, 3);
    });
  });

  describe("stopping", () => {
    const request = (agent: Agent, url: string) =>
      new Promise<{ status: number | undefined; connection: string | undefined }>(
        (resolve, reject) => {
          get(url, { agent }, (response) => {
            response.resume();
            response.once("end", () =>
              resolve({ status: response.statusCode, connection: response.headers.connection }),
            );
          }).once("error", reject);
        },
      );

    it("loses no request when SIGTERM comes, and ends with 0", async () => {
      const stopping = await startSample({ ...database.environment, DRAIN_SECONDS: "4" });
      await stopping.ready();
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      const answers: { status: number | undefined; connection: string | undefined; at: number }[] =
        [];
      let routed = true;
      const clients = Array.from({ length: 8 }, async () => {
        while (routed)
          answers.push({ ...(await request(agent, `${stopping.url}/teapot`)), at: Date.now() });
      });
      await until("requests flow", () => answers.length > 100);

      const asked = Date.now();
      const exit = stopping.stop("SIGTERM");
      // The gateway: it sends on until it has noticed.
      const notReady = async () => (await stopping.fetch("/readyz")).status === 503;
      await until("/readyz says 503, long before the drain ends", notReady, 2);
      const noticed = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      routed = false;
      await Promise.all(clients);

      assert.equal(await exit, 0);
      assert.ok(Date.now() - asked >= 4_000, "it drains for as long as it was told");
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([418]));
      const late = answers.filter(({ at }) => at > noticed + 200);
      assert.ok(late.length > 20, `${late.length} answered while draining`);
      assert.deepEqual(new Set(late.map(({ connection }) => connection)), new Set(["close"]));
    });
    it("finishes what is in flight after the drain", async () => {
      const stopping = await startSample(database.environment);
      const slow = stopping.fetch("/slow");
      await new Promise((resolve) => setTimeout(resolve, 200));
      const exit = stopping.stop("SIGTERM");
      await until("it no longer listens", () => refused(stopping.url));
      assert.equal(await (await slow).text(), "done");
      assert.equal(await exit, 0);
    });
    it("doesn't drain on SIGINT", async () => {
      const stopping = await startSample({ ...database.environment, DRAIN_SECONDS: "30" });
      const asked = Date.now();
      assert.equal(await stopping.stop("SIGINT"), 0);
      assert.ok(Date.now() - asked < 15_000);
    });
    it("ends with 1, saying why, when something unforeseen is thrown", async () => {
      const crashing = await startSample(database.environment);
      await crashing.fetch("/crash").catch(() => undefined);
      assert.equal(await crashing.exited, 1);
      assert.equal(crashing.log.at(-1)?.level, "fatal", JSON.stringify(crashing.log));
      assert.equal(crashing.log.at(-1)?.msg, "out of the blue");
    });
  });

  describe("migrations", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "migrations-"));
      cpSync(join(repositoryRoot, "packages/kit/test/sample/src/migrations"), folder, {
        recursive: true,
      });
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const startWith = (target: TestDatabase) =>
      startSample({ ...target.environment, MIGRATIONS: `${pathToFileURL(folder).href}/` });
    const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql);
    const failureWith = async (target: TestDatabase) => {
      const failing = await startWith(target);
      assert.equal(await failing.exited, 1);
      return failing.log.at(-1)?.msg ?? "";
    };

    it("run once when several replicas start together", async () => {
      const target = await createDatabase();
      // Slow enough for the replicas to meet in it.
      write("0002-more.sql", "SELECT pg_sleep(0.5); CREATE TABLE more ();");
      const replicas = await Promise.all([1, 2, 3].map(() => startWith(target)));
      await Promise.all(replicas.map((replica) => replica.ready()));
      await Promise.all(replicas.map((replica) => replica.stop()));
      const applied = replicas.flatMap(({ log }) => log.flatMap((line) => line["migration"] ?? []));
      assert.deepEqual(applied.sort(), ["0001-notes.sql", "0002-more.sql"]);
    });
    it("leave a database alone that a newer release has migrated", async () => {
      const target = await createDatabase();
      write("0002-more.sql", "CREATE TABLE more ();");
      const newer = await startWith(target);
      await newer.ready();
      const older = await startSample(target.environment);
      await older.ready();
      await Promise.all([newer.stop(), older.stop()]);
    });
    it("that fail end the service, change nothing, and are named", async () => {
      const target = await createDatabase();
      write("0002-broken.sql", "CREATE TABLE half (); CREATE TABLE notes ();");
      assert.match(
        await failureWith(target),
        /0002-broken\.sql failed: relation "notes" already exists/,
      );
      const [half] = await target.query<{ found: boolean }>(
        "SELECT to_regclass('half') IS NOT NULL AS found",
      );
      assert.equal(half?.found, false);
    });
    it("must not be edited after they were applied", async () => {
      const target = await createDatabase();
      const first = await startWith(target);
      await first.ready();
      await first.stop();
      write("0001-notes.sql", "CREATE TABLE notes (id bigint PRIMARY KEY);");
      assert.match(
        await failureWith(target),
        /0001-notes\.sql differs from the one that was applied: restore it/,
      );
    });
    it("must have a number", async () => {
      write("more.sql", "");
      assert.match(await failureWith(await createDatabase()), /Rename the migration more\.sql/);
    });
  });

  describe("when the database accepts a connection and says nothing", () => {
    it("gives up that connection, says why, and tries again", async () => {
      let silent = true;
      const proxy = createTcpServer((socket) => {
        socket.on("error", () => undefined);
        if (silent) return;
        const upstream = connect(Number(database.environment["DATABASE_PORT"]), "127.0.0.1");
        upstream.on("error", () => socket.destroy());
        socket.pipe(upstream).pipe(socket);
      }).listen(0, "127.0.0.1");
      await until("the proxy listens", () => proxy.listening);
      const { port } = proxy.address() as AddressInfo;
      const waiting = await startSample({ ...database.environment, DATABASE_PORT: String(port) });
      try {
        const line = await waiting.waitForLog("the reason", ({ level }) => level !== "info");
        assert.deepEqual(
          [line.level, line.msg],
          ["warn", "The database can't be reached: timeout expired"],
        );
        silent = false;
        await waiting.ready();
      } finally {
        await waiting.stop();
        proxy.close();
      }
    });
  });

  // Last: it stops the PostgreSQL that all tests share.
  describe("when the database goes away", () => {
    after(startPostgres);

    it("stays alive, says so, and is back when the database is", async () => {
      const before = service.log.length;
      const held = await database.connect();
      await held.query("BEGIN; LOCK TABLE notes");
      const add = (id: number) =>
        service.fetch("/notes", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id, text: "x" }),
        });
      const caughtInTheMiddle = add(100);
      const caughtBetweenStatements = service.fetch("/hold");
      await new Promise((resolve) => setTimeout(resolve, 300));
      await stopPostgres();

      assert.equal((await caughtInTheMiddle).status, 503);
      assert.equal((await caughtBetweenStatements).status, 503);
      await until("not ready", async () => (await service.fetch("/readyz")).status === 503);
      const { reason } = (await service.json("/readyz")) as { reason: string };
      assert.match(reason, /^The database can't be reached: /);
      const refusedNote = await add(101);
      assert.equal(refusedNote.status, 503);
      assert.equal(refusedNote.headers.get("retry-after"), "1");
      assert.equal((await service.fetch("/healthz")).status, 200);

      // One that starts now waits for it.
      const early = await startSample(database.environment);
      assert.equal((await early.fetch("/readyz")).status, 503);
      assert.equal((await add(102)).status, 503);
      for (let i = 0; i < 20; i++) await service.fetch("/readyz");

      await startPostgres();
      await Promise.all([service.ready(), early.ready()]);
      assert.equal((await add(103)).status, 201);
      assert.equal(await early.stop(), 0);
      const changes = () =>
        service.log.slice(before).filter(({ msg }) => /^The database/.test(msg));
      await until("it says so", () => changes().at(-1)?.msg === "The database is ready");
      assert.ok(
        changes().length >= 2 && changes().length <= 4,
        `a line a change: ${JSON.stringify(changes())}`,
      );
    });
  });
});

async function refused(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.once("error", () => resolve(true));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

/** Sends the bytes as they are, and gives all that comes back until the other side hangs up. */
async function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  return Buffer.concat((await socket.toArray()) as Buffer[]).toString();
}

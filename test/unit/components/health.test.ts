import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, Server } from "node:http";
import { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandHealthCheck, httpHealthCheck } from "../../../components/container/health";

describe("a health check that goes on until there is something new to say", function () {
  this.timeout(60_000);
  let folder: string;
  let server: Server;
  let port: number;
  let status: number;
  let asked: number;

  before(function () {
    // It runs in images only, which have a newer one than macOS.
    const major = execFileSync("bash", ["-c", "echo ${BASH_VERSINFO[0]}"], { encoding: "utf8" });
    if (Number(major) < 4) this.skip();
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-health-"));
    status = 200;
    asked = 0;
    server = createServer((request, response) => {
      asked++;
      if (request.url === "/silence") return;
      response.statusCode = request.url === "/ready" ? status : 503;
      response.end(JSON.stringify({ status: response.statusCode }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("ends at once with what the container says when it can serve", async () => {
    const { code, output, seconds } = await check();
    assert.equal(code, 0, output);
    assert.match(output, /^HTTP\/1\.1 200 OK[^]*\n\{"status":200\}\n$/);
    assert.ok(seconds < 2, `${seconds} s`);
  });

  it("waits for a container that can't serve yet", async () => {
    status = 503;
    setTimeout(() => (status = 200), 1_000);
    const { code, output, seconds } = await check();
    assert.equal(code, 0, output);
    assert.ok(seconds >= 1 && seconds < 4, `${seconds} s`);
    assert.ok(asked >= 3, `asked ${asked} times`);
  });

  it("says why it can't, after five seconds each time", async () => {
    const nobody = createServer();
    await once(nobody.listen(0, "127.0.0.1"), "listening");
    const closed = (nobody.address() as AddressInfo).port;
    nobody.close();
    const missing = join(folder, "missing");
    const [notReady, unknown, refused, failing] = await Promise.all([
      check({ path: "/not-ready" }),
      check({ path: "/silence" }),
      run(httpHealthCheck(closed, "/ready", folder).tests),
      run(commandHealthCheck(["ls", missing], folder).tests),
    ]);
    for (const { code, seconds } of [notReady, unknown, refused, failing]) {
      assert.equal(code, 1);
      assert.ok(seconds >= 4 && seconds < 12, `${seconds} s`);
    }
    assert.match(notReady.output, /^HTTP\/1\.1 503 Service Unavailable[^]*\n\{"status":503\}\n$/);
    assert.equal(unknown.output, "no answer within 2 s\n");
    assert.match(refused.output, /Connection refused\n$/);
    assert.match(failing.output, /missing.*No such file/);
  });

  it("goes on while nothing changes, and asks now and then", async () => {
    await check();
    assert.equal(await check({ forSeconds: 7 }).then(({ code }) => code), undefined);
    assert.equal(asked, 1 + 2);
  });

  it("ends when the container has failed for some seconds, and not before", async () => {
    await check();
    status = 500;
    setTimeout(() => (status = 200), 2_500);
    const brief = await check({ forSeconds: 4 });
    assert.equal(brief.code, undefined, "it isn't told of a moment's failure");
    assert.ok(asked >= 3, `asked ${asked} times`);

    status = 500;
    const { code, output, seconds } = await check();
    assert.equal(code, 1);
    assert.match(output, /500 Internal Server Error/);
    assert.ok(seconds >= 4 && seconds < 12, `${seconds} s`);

    status = 200;
    const again = await check();
    assert.equal(again.code, 0);
    assert.ok(again.seconds < 2, "recovered, which is news");
  });

  it("begins anew when the container does", async () => {
    await check();
    rmSync(join(folder, "reported-healthy"));
    assert.ok((await check()).seconds < 2);
  });

  it("leaves no process when Docker ends it", async () => {
    await check();
    const { left } = await check({ forSeconds: 1 });
    assert.deepEqual(left, []);
  });

  it("takes a command for an answer", async () => {
    const { code, output } = await run(commandHealthCheck(["ls", "-a", folder], folder).tests);
    assert.equal(code, 0, output);
  });

  // ---- what the tests are told in

  interface Ended {
    /** undefined where it had to be ended. */
    readonly code: number | undefined;
    readonly output: string;
    readonly seconds: number;
    /** Processes of it that are still there. */
    readonly left: readonly string[];
  }

  const check = (how: { path?: string; forSeconds?: number } = {}): Promise<Ended> =>
    run(httpHealthCheck(port, how.path ?? "/ready", folder).tests, how.forSeconds);

  /** Runs it as Docker does, which sends it SIGTERM when its time is over. */
  async function run(tests: unknown, forSeconds = 30): Promise<Ended> {
    assert.ok(Array.isArray(tests));
    const [kind, command, ...args] = tests.map(String);
    assert.equal(kind, "CMD");
    assert.ok(command);
    const began = performance.now();
    const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const over = setTimeout(() => child.kill("SIGTERM"), forSeconds * 1_000);
    await once(child, "close");
    clearTimeout(over);
    return {
      code: child.exitCode ?? undefined,
      output,
      seconds: (performance.now() - began) / 1_000,
      left: membersOf(child.pid),
    };
  }

  function membersOf(group: number | undefined): string[] {
    const all = execFileSync("ps", ["-A", "-o", "pgid=,args="], { encoding: "utf8" });
    return all.split("\n").filter((line) => line.trim().startsWith(`${group} `));
  }
});

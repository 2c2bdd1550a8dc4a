import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, Server } from "node:http";
import { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandHealthCheck, httpHealthCheck } from "../../../components/container/health";

describe("long-polling health check", () => {
  let folder: string;
  let server: Server;
  let port: number;
  let status: number;
  let asked: number;
  /** Number of the request from which on the answer is 200, whatever the status. */
  let healthyFrom: number;

  before(function () {
    // The script runs in images only, whose bash is newer than that of macOS.
    const major = execFileSync("bash", ["-c", "echo ${BASH_VERSINFO[0]}"], { encoding: "utf8" });
    if (Number(major) < 4) this.skip();
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-health-"));
    status = 200;
    asked = 0;
    healthyFrom = Infinity;
    server = createServer((request, response) => {
      asked++;
      if (asked >= healthyFrom) status = 200;
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

  it("ends at once with the response of a healthy container", async () => {
    const { code, output } = await check();
    assert.equal(code, 0, output);
    assert.match(output, /^HTTP\/1\.1 200 OK[^]*\n\{"status":200\}\n$/);
    assert.equal(asked, 1);
  });

  it("waits for a container that isn't ready yet", async () => {
    status = 503;
    healthyFrom = 3;
    const { code, output } = await check();
    assert.equal(code, 0, output);
    assert.equal(asked, 3);
  });

  it("fails with the reason five seconds before Docker's time limit", async () => {
    const nobody = createServer();
    await once(nobody.listen(0, "127.0.0.1"), "listening");
    const closed = (nobody.address() as AddressInfo).port;
    nobody.close();
    const missing = join(folder, "missing");
    const [notReady, unknown, refused, failing] = await Promise.all([
      check({ path: "/not-ready" }),
      check({ path: "/silence" }),
      run(httpHealthCheck(closed, "/ready", options()).tests),
      run(commandHealthCheck(["ls", missing], options()).tests),
    ]);
    for (const { code, seconds } of [notReady, unknown, refused, failing]) {
      assert.equal(code, 1);
      assert.ok(seconds >= 4 && seconds < LIMIT_SECONDS, `${seconds} s`);
    }
    assert.match(notReady.output, /^HTTP\/1\.1 503 Service Unavailable[^]*\n\{"status":503\}\n$/);
    assert.equal(unknown.output, "no answer within 6 s\n");
    assert.match(refused.output, /Connection refused\n$/);
    assert.match(failing.output, /missing.*No such file/);
  });

  it("keeps running while nothing changes, and checks now and then", async () => {
    await check();
    const { code, seconds } = await check({ until: () => asked === 1 + 2 });
    assert.equal(code, undefined);
    assert.ok(seconds >= 2, `two checks in ${seconds} s`);
  });

  it("ends after some seconds of failures, and not before", async () => {
    await check();
    status = 500;
    healthyFrom = 1 + 2;
    assert.equal((await check()).code, 0, "a short failure isn't reported");

    healthyFrom = Infinity;
    status = 500;
    const { code, output, seconds } = await check();
    assert.equal(code, 1);
    assert.match(output, /500 Internal Server Error/);
    assert.ok(seconds >= 4 && seconds < LIMIT_SECONDS, `${seconds} s`);

    status = 200;
    assert.equal((await check()).code, 0, "a recovery is reported at once");
  });

  it("starts over when the container has been restarted", async () => {
    await check();
    rmSync(join(folder, "reported-healthy"));
    assert.equal((await check()).code, 0, "otherwise it would keep running");
  });

  it("makes Docker check at once after the start, in every version", () => {
    const { interval, startPeriod } = httpHealthCheck(port, "/ready");
    assert.equal(interval, "500ms");
    // During a start period, Docker 25 and later ignore the interval.
    assert.equal(startPeriod, undefined);
  });

  it("succeeds when the command does", async () => {
    const { code, output } = await run(commandHealthCheck(["ls", "-a", folder], options()).tests);
    assert.equal(code, 0, output);
  });

  interface Ended {
    /** Exit code, undefined if the check had to be ended. */
    readonly code: number | undefined;
    readonly output: string;
    readonly seconds: number;
  }

  const options = () => ({ withinSeconds: 10, stateFolder: folder });

  const check = (how: { path?: string; until?: () => boolean } = {}): Promise<Ended> =>
    run(httpHealthCheck(port, how.path ?? "/ready", options()).tests, how.until);

  /** Runs a check as Docker does, which sends SIGTERM after the time limit. @param until Ends the check earlier. */
  async function run(tests: unknown, until = (): boolean => false): Promise<Ended> {
    assert.ok(Array.isArray(tests));
    // Ten seconds between the checks of a healthy container are too long for a test.
    const [kind, command, ...args] = tests.map((word) =>
      String(word).replace("sleep 10", "sleep 1"),
    );
    assert.equal(kind, "CMD");
    assert.ok(command);
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1_000;
    const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const over = setInterval(() => {
      if (until() || seconds() > LIMIT_SECONDS) child.kill("SIGTERM");
    }, 20);
    await once(child, "close");
    clearInterval(over);
    return { code: child.exitCode ?? undefined, output, seconds: seconds() };
  }
});

/** Docker's time limit for a check. */
const LIMIT_SECONDS = 120;

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { CliError } from "@store/docker/cliError";
import { connectionTo, isSupported } from "@store/docker/connection";
import { Docker, reasonOf } from "@store/docker/docker";
import { dockerUnreachable } from "@store/docker/unreachable";

describe("Docker", () => {
  let folder: string;
  let server: Server | undefined;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "docker-api-"))));
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  /** Starts a test docker on a socket. */
  const startDaemon = async (listener: RequestListener): Promise<Docker> => {
    const socket = join(folder, "docker.sock");
    server = createServer(listener).listen(socket);
    await once(server, "listening");
    return new Docker({ host: `unix://${socket}` });
  };

  it("connects to sockets and to TCP addresses with Docker's default ports", () => {
    const at = (host: string) => connectionTo({ host });
    assert.deepEqual(at("unix:///var/run/docker.sock"), {
      ...{ socketPath: "/var/run/docker.sock", host: "docker", secure: false },
    });
    assert.deepEqual(at("tcp://[::1]:2375"), { host: "::1", port: 2375, secure: false });
    assert.deepEqual(at("tcp://host"), { host: "host", port: 2375, secure: false });
    assert.deepEqual(at("tcp://host:80"), { host: "host", port: 80, secure: false });
    assert.deepEqual(at("https://host"), { host: "host", port: 2376, secure: true });
    assert.throws(() => at("tcp://host:port"), /no host name/);
    assert.throws(() => at("npipe:////./pipe/docker_engine"), /not a unix.*address/);
    assert.equal(isSupported("ssh://me@host"), true);
    assert.equal(isSupported("fd://"), false);
  });

  it("reports the cause that its owner finds for a daemon that doesn't answer, also of a broken stream", async () => {
    const found: (string | undefined)[] = [];
    const docker = new Docker(
      { host: `unix://${join(folder, "none.sock")}` },
      undefined,
      (error) => {
        found.push((error.cause as NodeJS.ErrnoException).code);
        return Promise.resolve(new CliError("The VM is off."));
      },
    );
    await assert.rejects(docker.ping(), /^CliError: The VM is off\.$/);
    assert.equal((await docker.unreachable(new Error("closed"))).summary, "The VM is off.");
    assert.deepEqual(found, ["ENOENT", undefined]);
  });

  it("returns JSON or text, and the message of an error", async () => {
    const docker = await startDaemon((request, response) => {
      if (request.url === "/_ping") response.end("OK");
      else if (request.url === "/json") response.end('{"a":1}');
      else response.writeHead(request.url === "/broken" ? 502 : 409).end('{"message":"in use"}');
    });
    assert.deepEqual(await docker.get("/json"), { a: 1 });
    assert.deepEqual(await docker.request("GET", "/_ping"), { status: 200, body: "OK" });
    assert.equal(await docker.remove("/images/x"), "in use");
    assert.equal(reasonOf({ status: 502, body: "Bad gateway\n" }), "Bad gateway");
    assert.equal(reasonOf({ status: 502, body: {} }), "HTTP status 502");
  });

  it("names the group docker if this user may not open the socket, and else how to start Docker", () => {
    const errorWith = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
    const denied = dockerUnreachable("unix:///var/run/docker.sock", errorWith("EACCES"));
    assert.match(denied.message, /this user may not open the socket/);
    assert.match(denied.hint ?? "", /sudo usermod -aG docker \$USER/);
    const stopped = dockerUnreachable("unix:///var/run/docker.sock", errorWith("ECONNREFUSED"));
    assert.match(stopped.hint ?? "", /^Start it/);
    const unknown = dockerUnreachable("tcp://shop:2375", errorWith("ENOTFOUND"));
    assert.match(unknown.hint ?? "", /^Correct the address/);
    const silent = dockerUnreachable("tcp://shop:2375", errorWith("ETIMEDOUT"));
    assert.match(silent.hint ?? "", /^Check the daemon/);
  });

  it("tells a login by ssh that fails from Docker that is missing, closed or stopped there", () => {
    const hints: readonly [string, RegExp][] = [
      ["me@shop: Permission denied (publickey).", /ssh must log in without a prompt/],
      ["bash: line 1: docker: command not found", /^Install Docker on that machine/],
      ["permission denied while trying to connect to the Docker daemon socket", /group docker/],
      ["Cannot connect to the Docker daemon. Is the docker daemon running?", /^Start Docker on/],
    ];
    for (const [message, hint] of hints)
      assert.match(dockerUnreachable("ssh://me@shop", new Error(message)).hint ?? "", hint);
  });

  it("rejects when the time limit is over", async () => {
    const docker = await startDaemon(() => undefined);
    await assert.rejects(
      docker.request("GET", "/version", 50),
      (error: unknown) =>
        error instanceof CliError && (error.cause as NodeJS.ErrnoException).code === "ETIMEDOUT",
    );
  });

  it("uploads an archive, reports the progress and rejects with the daemon's error", async () => {
    const docker = await startDaemon((request, response) => {
      request.resume().once("end", () => {
        if (request.url === "/refused") response.writeHead(500).end('{"message":"no space"}');
        else response.end('{"stream":"one"}\n{"stream":"two"}\n{"error":"step 3 failed"}\n');
      });
    });
    const progress: (string | undefined)[] = [];
    await assert.rejects(
      docker.upload("/build", Readable.from(["tar"]), ({ stream }) => progress.push(stream)),
      /step 3 failed/,
    );
    assert.deepEqual(progress, ["one", "two"]);
    await assert.rejects(
      docker.upload("/refused", Readable.from(["tar"]), () => undefined),
      /no space/,
    );
    const broken = new PassThrough();
    broken.write("half");
    setImmediate(() => broken.destroy(new Error("tar ended with 2")));
    await assert.rejects(
      docker.upload("/build", broken, () => undefined),
      /tar ended with 2/,
    );
  });

  it("uses TLS with the docker command's certificates, and verifies the server", async () => {
    const pem = (name: string) => join(folder, `${name}.pem`);
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"],
        ...["-keyout", pem("key"), "-out", pem("cert")],
      ],
      { stdio: "pipe" },
    );
    execFileSync("cp", [pem("cert"), pem("ca")]);
    const [key, cert] = [readFileSync(pem("key")), readFileSync(pem("cert"))];
    server = createSecureServer(
      { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true },
      (_request, response) => response.end('{"Version":"1"}'),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `tcp://localhost:${(server.address() as AddressInfo).port}`;
    assert.deepEqual(await new Docker({ host, certPath: folder }).get("/version"), {
      Version: "1",
    });
    assert.throws(() => new Docker({ host, certPath: "/nowhere" }), /certificates .*\/nowhere/);
    await assert.rejects(new Docker({ host }).get("/version"), "without TLS");

    // A context with a CA only, and a daemon that asks for no certificate.
    const [open, caOnly] = [
      createSecureServer({ key, cert }, (_, r) => r.end("{}")),
      join(folder, "ca"),
    ];
    await once(open.listen(0, "127.0.0.1"), "listening");
    try {
      const address = `tcp://localhost:${(open.address() as AddressInfo).port}`;
      mkdirSync(caOnly);
      await assert.rejects(new Docker({ host: address, certPath: caOnly }).ping(), /self-signed/);
      copyFileSync(pem("ca"), join(caOnly, "ca.pem"));
      await new Docker({ host: address, certPath: caOnly }).ping();
    } finally {
      open.close();
    }
  });
});

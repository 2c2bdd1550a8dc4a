import assert from "node:assert/strict";
import { connect, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually";
import { docker } from "../../support/run";
import { Gateway, TestNetwork } from "./network";

/** The services listen on IPv4 only, the network has IPv4 and IPv6. */
describe("the gateway's connections", () => {
  let network: TestNetwork;
  let gateway: Gateway;
  const sockets: Socket[] = [];

  before(async () => {
    network = await TestNetwork.create({ ipv6: true });
    gateway = await network.startGateway({}, {}, [
      { path: "/", seconds: 60 },
      { path: "/short", seconds: 1 },
    ]);
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  after(() => network.dispose());

  it("reach a service that listens on IPv4 only on a network with IPv6", async () => {
    assert.equal((await fetch(gateway.published)).status, 200);
  });

  it("come from IPv6, too", async () => {
    const address = (
      await docker(
        ...["inspect", "--format"],
        ...["{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}", gateway.container],
      )
    ).trim();
    for (const port of [80, 8080]) {
      const script = `fetch("http://[${address}]:${port}/").then((r) => console.log(r.status))`;
      assert.equal((await network.exec("inventory", "node", "-e", script)).trim(), "200");
    }
  });

  it("are limited per address before a request is read", async () => {
    const limited = await network.startGateway({ connections: 20 }, {}, [], { edit: withPatience });
    const idle = Array.from({ length: 30 }, () => open(limited.published));
    const openConnections = (): number => idle.filter(({ socket }) => !socket.destroyed).length;
    await eventually(() => Promise.resolve(openConnections() === 20), "20 should stay open");
    await assert.rejects(fetch(limited.published));
    // Other addresses, the store's own networks and the health check aren't affected.
    const fetchStatus = `fetch("http://${limited.container}:8080/").then((r) => console.log(r.status))`;
    assert.equal((await network.exec("inventory", "node", "-e", fetchStatus)).trim(), "200");
    assert.equal((await fetch(limited.inside)).status, 200);
    for (const { socket } of idle) socket.destroy();
    await eventually(
      async () => (await fetch(limited.published)).status === 200,
      "a closed connection should make room for another one",
    );
  });

  it("are closed after 5 s without a request", async () => {
    const idle = open(gateway.published);
    await eventually(() => Promise.resolve(idle.socket.destroyed), "it should be closed");
    assert.match(idle.received(), /^HTTP\/1\.1 408 /);
  });

  it("leave room for the store's own requests, health check and metrics when clients hold all others", async () => {
    const flooded = await network.startGateway({ connections: 10_000 }, {}, [], {
      edit: withPatience,
    });
    // Holds as many connections as the gateway accepts until the file is there.
    const flood = `for (let i = 0; i < 4200; i++)
        require("net").connect(8080, "${flooded.container}").on("error", () => undefined);
      setInterval(() => require("fs").existsSync("/tmp/enough") && process.exit(), 100);`;
    const flooding = network.exec("storefront", "node", "-e", flood);
    const sessions = async (): Promise<number> => {
      const metrics = await (await fetch(`${flooded.admin}/metrics`)).text();
      const [, count] =
        /^haproxy_frontend_current_sessions\{proxy="public"\} (\d+)$/m.exec(metrics) ?? [];
      assert.equal((await fetch(`${flooded.admin}/healthz`)).status, 200);
      return Number(count);
    };
    try {
      await eventually(async () => (await sessions()) >= 3_500, "the gateway accepts fewer");
      // Also while the rest of the 4200 arrives: the frontend takes 4000.
      for (let i = 0; i < 10; i++) {
        assert.equal((await fetch(flooded.inside)).status, 200);
        const count = await sessions();
        assert.ok(count >= 3_500 && count < 3_600, `${count} connections`);
        await sleep(100);
      }
    } finally {
      await network.exec("storefront", "touch", "/tmp/enough");
      await flooding;
    }
    await eventually(
      async () => (await fetch(flooded.published)).status === 200,
      "the gateway should answer after the flood",
    );
  });

  it("wait for an answer as long as the spec says for its path", async () => {
    const started = Date.now();
    const response = await fetch(`${gateway.published}/short/silent`);
    assert.equal(response.status, 504);
    // The other paths have 20 s.
    assert.ok(Date.now() - started < 20_000, `after ${Date.now() - started} ms`);
  });

  it("keep a silent WebSocket open as long as the spec says for its path", async () => {
    const [short, long] = ["/short/chat", "/chat"].map((path) => {
      const connection = open(gateway.published);
      connection.socket.write(
        `GET ${path} HTTP/1.1\r\nhost: gateway\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      return connection;
    });
    assert.ok(short && long);
    for (const { received } of [short, long])
      await eventually(
        () => Promise.resolve(received().startsWith("HTTP/1.1 101 ")),
        "no upgrade to WebSocket",
      );
    await eventually(() => Promise.resolve(short.socket.destroyed), "it should be closed");
    await sleep(500);
    assert.equal(long.socket.destroyed, false);
  });

  it("are answered once more after a reload, also by the replacement of a deleted instance", async () => {
    const reloaded = await network.startGateway({ connections: 30 }, {}, [], {
      edit: (config) =>
        config
          // A busy machine may take longer for a reload.
          .replace("timeout http-keep-alive 15s", "timeout http-keep-alive 2m")
          // The gateway learns that the replacement is ready only when it could have been reloaded already.
          .replaceAll("inter 500ms", "inter 2s"),
    });
    const { socket, received } = open(reloaded.published);
    const answers = (): string[] => received().match(/^HTTP\/1\.1 \d+/gm) ?? [];
    const request = "GET /api/inventory/x HTTP/1.1\r\nhost: gateway\r\n\r\n";
    socket.write(request);
    await eventually(() => Promise.resolve(answers().length === 1), "no answer");
    const makeReady = await network.startReplacement("inventory");
    const down = /^haproxy_server_status\{proxy="inventory",server="[^"]+",state="DOWN"\} 1$/m;
    await eventually(
      async () => down.test(await (await fetch(`${reloaded.admin}/metrics`)).text()),
      "the gateway doesn't notice the replacement",
    );

    await makeReady();
    const { code, output } = await network.reload(reloaded, ["inventory", "storefront"]);
    assert.equal(code, 0, output);
    await network.stopService("inventory");
    socket.write(request);
    await eventually(
      () => Promise.resolve(answers().length === 2 || socket.destroyed),
      "neither a second answer nor the end of the connection",
    );
    assert.deepEqual(answers(), ["HTTP/1.1 200", "HTTP/1.1 200"]);

    // The replacement has the second slot. Another reload must not move it to the first one, which has none for a moment.
    const lost = async (): Promise<number> =>
      ((await reloaded.log()).match(/^.*inventory.*(No IP|no server).*$/gm) ?? []).length;
    await eventually(async () => (await lost()) > 0, "the gateway doesn't notice the deletion");
    const before = await lost();
    const again = await network.reload(reloaded, ["inventory", "storefront"]);
    assert.equal(again.code, 0, again.output);
    assert.equal((await fetch(`${reloaded.published}/api/inventory/x`)).status, 200);
    assert.equal(await lost(), before);
  });

  /** Keeps connections without a request open, because a busy machine may need long to open all. */
  const withPatience = (config: string): string =>
    config.replace("timeout http-request 5s", "timeout http-request 2m");

  /** Opens a connection. */
  function open(address: string): { readonly socket: Socket; readonly received: () => string } {
    const { hostname, port } = new URL(address);
    let text = "";
    const socket = connect(Number(port), hostname);
    socket.setEncoding("utf8").on("data", (data: string) => (text += data));
    socket.on("error", () => undefined);
    sockets.push(socket);
    return { socket, received: () => text };
  }
});

import assert from "node:assert/strict";
import { AddressInfo, connect, createServer, Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { allows, portsOf, Route, routesOf } from "@store/azure-emulator/network/rules";
import { ClosedPorts, Firewall } from "@store/azure-emulator/network/firewall";
import { Properties } from "@store/azure-emulator/arm/values";
import { rule, TestCloud } from "./fixture";

const route = (...groups: Properties[][]): Route => ({
  address: "127.77.0.1",
  machine: "m",
  groups,
});
const deny = (priority: number, port: string): Properties => ({
  ...rule("no", priority, ["*"], port),
  access: "Deny",
});

describe("Security groups", () => {
  const open = [rule("http", 100, ["0.0.0.0/0"], "80"), rule("ssh", 200, ["127.0.0.1/32"], "22")];

  it("allow a connection by source address and port", () => {
    assert.ok(allows(route(open), "127.0.0.9", 80));
    assert.ok(allows(route(open), "127.0.0.1", 22));
    assert.ok(!allows(route(open), "127.0.0.9", 22));
    assert.ok(!allows(route(open), "127.0.0.1", 2375));
  });

  it("allow nothing if there is no group", () => {
    assert.ok(!allows(route(), "127.0.0.1", 80));
  });

  it("must all allow a connection", () => {
    assert.ok(!allows(route(open, [rule("ssh", 100, ["*"], "22")]), "127.0.0.1", 80));
  });

  it("decide by the first matching rule", () => {
    assert.ok(!allows(route([...open, deny(99, "*")]), "127.0.0.1", 80));
    assert.ok(allows(route([...open, deny(101, "80")]), "127.0.0.1", 80));
  });

  it("have a listener for each port that a rule opens", () => {
    assert.deepEqual(portsOf(route(open)), [22, 80]);
    assert.deepEqual(
      portsOf(route([rule("all", 100, ["*"], "*")])),
      [22, 80, 443, 2375, 2376, 5432, 8080, 8443],
    );
    assert.deepEqual(portsOf(route([rule("some", 100, ["*"], "90-92")])), [90, 91, 92]);
  });

  it("apply to the route from the public IP address to the VM", async () => {
    const test = new TestCloud();
    try {
      await test.all();
      const [found, ...more] = routesOf(test.cloud);
      assert.deepEqual(more, []);
      assert.match(found?.address ?? "", /^127\.77\./);
      assert.deepEqual(found && portsOf(found), [22, 80]);
    } finally {
      test.dispose();
    }
  });
});

describe("The firewall", () => {
  // The VM's address and the public one are different loopback addresses, so both can use the same port.
  const outside = "127.77.254.254";
  let machine: Server;
  let port: number;
  let firewall: Firewall;
  let closed: ClosedPorts = [];

  beforeEach(async () => {
    machine = createServer((socket) => socket.end("hello"));
    await new Promise<void>((done) => machine.listen(0, "127.0.0.1", done));
    port = (machine.address() as AddressInfo).port;
    closed = [];
    firewall = new Firewall(
      () => Promise.resolve("127.0.0.1"),
      () => closed,
    );
  });
  afterEach(() => {
    firewall.close();
    machine.close();
  });
  const setRoutes = (from: string): Promise<void> =>
    firewall.setRoutes([
      { address: outside, machine: "m", groups: [[rule("x", 100, [from], String(port))]] },
    ]);

  it("forwards allowed connections and resets all others", async () => {
    await setRoutes("127.0.0.1/32");
    assert.equal(await ask(outside, port), "hello");
    assert.equal(await ask(outside, port, "127.0.0.9"), "ECONNRESET");
  });

  it("applies changed rules at once", async () => {
    await setRoutes("127.0.0.1/32");
    await setRoutes("127.0.0.9/32");
    assert.equal(await ask(outside, port), "ECONNRESET");
    assert.equal(await ask(outside, port, "127.0.0.9"), "hello");
    await firewall.setRoutes([]);
    assert.equal(await ask(outside, port), "ECONNREFUSED");
  });

  it("resets connections to a port closed by a fault", async () => {
    await setRoutes("*");
    closed = [port];
    assert.equal(await ask(outside, port), "ECONNRESET");
  });

  it("accepts connections without answering during the fault silent", async () => {
    await setRoutes("*");
    closed = "silent";
    const socket = connect(port, outside);
    const heard = new Promise((done) => socket.once("data", done).once("close", done));
    try {
      assert.equal(await Promise.race([heard, sleep(200, "nothing")]), "nothing");
    } finally {
      socket.destroy();
    }
  });

  it("names a port that is in use", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(port, outside, done));
    try {
      await assert.rejects(setRoutes("*"), new RegExp(`${outside}:${port} .*another process`));
    } finally {
      other.close();
    }
  });
});

/** Returns the response, or the error's code. */
function ask(host: string, port: number, localAddress?: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, localAddress });
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("close", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

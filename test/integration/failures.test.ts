import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DaemonProxy } from "./support/daemonProxy";
import { eventually } from "./support/eventually";
import { Load } from "./support/load";
import { CommandResult } from "../support/workspace";
import { pathWithout } from "../support/pathWithout";
import { run } from "../support/run";
import { Container, TestStore } from "./support/testStore";

/** Failures of `up` and their messages. After each, the old containers must still serve, and the next `up` must succeed. */
describe("./store up that fails", () => {
  let store: TestStore;
  let load: Load;

  before(async () => {
    store = await TestStore.create({ services: ["inventory"] });
    await store.succeed("up");
  });
  after(() => store.dispose());

  beforeEach(() => {
    load = Load.on(`${store.url}/api/inventory/products`, 2);
  });
  afterEach("no request was lost, and the next up succeeds", async function () {
    try {
      await store.assertNoneLost(load);
      rmSync(join(store.folder, "services/broken"), { recursive: true, force: true });
      store.configure({ services: ["inventory"] });
      const output = await store.succeed("up");
      assert.match(output, /unchanged/);
      const rest = (await store.containers()).filter(
        (c) => c.service === "broken" || c.state !== "running",
      );
      assert.deepEqual(
        rest.filter((c) => c.role !== "files").map((c) => c.name),
        [],
      );
    } finally {
      await load.stop();
    }
  });

  it("names the key of an unknown service, and the known services", async () => {
    store.configure({ services: ["inventori"] });
    await fails(
      /store:services: there is no service "inventori"\. There are: billing, inventory, orders/,
    );
  });

  it("names the key of a value of the wrong type", async () => {
    store.configure({ httpPort: "eighty" });
    await fails(/httpPort.*must be of type 'integer'|store:httpPort/s);
    store.configure({ replicas: { inventory: "many" } });
    await fails(/store:replicas\.inventory: "many" should be a whole number/, /--path/);
  });

  it("keeps the gateway if another checkout's gateway holds its new port, also without the command's own check", async () => {
    const before = (await store.running()).get("gateway/gateway");
    const other = await otherGateway();
    try {
      store.configure({ services: ["inventory"], httpPort: other.port });
      const options = ["up", "--yes", "--skip-preview", "--stack", store.stack];
      const { code, output } = await run(
        "./store",
        ["pulumi", ...options],
        store.folder,
        store.environment,
      );
      assert.notEqual(code, 0, output);
      assert.match(output, /address already in use|port is already allocated/);
      assert.equal((await store.running()).get("gateway/gateway"), before);
      assert.equal((await fetch(`${store.url}/api`)).status, 200);
    } finally {
      await run("docker", ["rm", "--force", other.id]);
    }
  });

  /** Starts a container that looks like the gateway of another stack of this project. */
  async function otherGateway(): Promise<{ readonly id: string; readonly port: number }> {
    const image = await run("docker", [
      ...["inspect", "--format", "{{.Image}}", await store.idOf("gateway/gateway")],
    ]);
    const labels = ["project=store", "stack=other", "role=gateway"];
    const { code, output } = await run("docker", [
      ...["run", "--detach", "--publish", "127.0.0.1::8080"],
      ...labels.flatMap((label) => ["--label", `dev.store.${label}`]),
      ...["--entrypoint", "sleep", image.output.trim(), "600"],
    ]);
    assert.equal(code, 0, output);
    const id = output.trim();
    const published = await run("docker", ["port", id, "8080/tcp"]);
    return { id, port: Number(published.output.trim().split(":").pop()) };
  }

  it("asks for the docker command if it isn't installed, before it changes anything", async () => {
    store.configure({ services: ["inventory"], demoData: false });
    const links = mkdtempSync(join(tmpdir(), "path-"));
    try {
      const { code, output } = await store.start("up", { PATH: pathWithout("docker", links) })
        .ended;
      assert.equal(code, 1, output);
      assert.match(output, /The docker command is not installed[^]*Install it: /);
      assert.doesNotMatch(output, /Updating/);
    } finally {
      rmSync(links, { recursive: true });
    }
  });

  it("names the port that is in use, and its key", async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    try {
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      store.configure({ services: ["inventory"], httpPort: address.port });
      await fails(new RegExp(`${address.port}.*(in use|taken|allocated)`, "s"), /store:httpPort/);
    } finally {
      server.close();
    }
  });

  it("shows the output of a failed build", async () => {
    addBroken({ dockerfile: "RUN echo compiling the broken part && false\n" });
    await fails(/broken/, /compiling the broken part/, /Dockerfile/);
  });

  it("reports a full disk if a build reports one", async () => {
    // Each write to /dev/full fails like a write to a full disk.
    addBroken({ dockerfile: "RUN head -c 9 /dev/zero > /dev/full\n" });
    await fails(/broken/, /No space left on device/i, /disk/i);
  });

  it("shows the last lines of a service that never becomes healthy", async () => {
    addBroken({ main: 'console.log("can not find the flux capacitor"); process.exit(3);' });
    await fails(/broken/, /can not find the flux capacitor/, /exit(ed)?( with)?( code)? 3|code 3/);
  });

  it("keeps the old instance, and doesn't wait, when the new one exits at each start", async () => {
    const main = store.read("services/inventory/src/main.ts");
    store.edit(
      "services/inventory/src/main.ts",
      "",
      'console.log("this release is broken"); process.exit(4);\n',
    );
    try {
      // The log is in a file because the instance was removed before the time limit.
      await fails(/inventory/, /this release is broken/, /code 4/, /Complete log: \.store\/logs\//);
    } finally {
      store.write("services/inventory/src/main.ts", main);
    }
  });

  it("doesn't touch a database whose data was written by another version of PostgreSQL", async () => {
    const image = `store-test/${store.stack}/postgres:19.0`;
    const build = join(store.folder, "postgres-19");
    mkdirSync(build);
    // The label overrides the base image's, which marks a fallback image.
    store.write(
      "postgres-19/Dockerfile",
      "FROM postgres:18.4\nENV PG_MAJOR=19 PGDATA=/var/lib/postgresql/19/docker\nLABEL dev.store.toolchain=test\n",
    );
    await run("docker", ["build", "--quiet", "--tag", image, build]);
    store.configure({ services: ["inventory"], postgresImage: image });
    const before = await store.running();
    try {
      await fails(
        /store:postgresImage: the data of inventory was written by PostgreSQL 18, and PostgreSQL 19/,
        /Set the old version back/,
        /keeps running/,
      );
      assert.deepEqual(await store.running(), before);
    } finally {
      store.configure({ services: ["inventory"] });
      await run("docker", ["image", "rm", "--force", image]);
    }
  });

  it("reports an unreachable Docker daemon", async () => {
    await failsWith(
      { DOCKER_HOST: "unix:///nowhere/docker.sock" },
      /unix:\/\/\/nowhere\/docker\.sock/,
      /Docker/,
    );
  });

  it("uses the configured daemon, whatever docker's variables say", async () => {
    store.configure({ services: ["inventory"], dockerHost: "unix:///var/run/docker.sock" });
    const nonsense = [
      ...["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"],
      ...["DOCKER_API_VERSION", "DOCKER_BUILDKIT", "BUILDX_BUILDER", "BUILDKIT_HOST"],
    ].map((name) => [name, "nonsense"] as const);
    const { ended } = store.start("preview", Object.fromEntries(nonsense), "--refresh");
    const { code, output } = await ended;
    assert.equal(code, 0, output);
  });

  it("refuses a context of another daemon, and follows one of the same daemon", async () => {
    const proxy = await DaemonProxy.start();
    const other = createHttpServer((request, response) => {
      response.end(request.url === "/info" ? '{"ID":"other"}' : '{"Version":"1","Arch":"amd64"}');
    });
    const folder = mkdtempSync(join(tmpdir(), "docker-config-"));
    try {
      const socket = join(folder, "other.sock");
      await new Promise<void>((listening) => other.listen(socket, listening));
      // A real answer to a look-up of an object that the daemon doesn't have.
      other.prependListener("request", (request, response) => {
        if (/^\/(containers|networks|volumes)\/./.test(request.url ?? ""))
          response.statusCode = 404;
      });
      const contexts = { moved: proxy.host, other: `unix://${socket}` };
      for (const [name, host] of Object.entries(contexts)) {
        const create = ["--config", folder, "context", "create", name, "--docker", `host=${host}`];
        assert.equal((await run("docker", create)).code, 0);
      }
      const withContext = (context: string) => ({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: context });
      for (const command of ["up", "preview", "ps"]) {
        const { ended } = store.start(command, withContext("other"));
        expectFailure(await ended, /is on the Docker daemon at .*the docker context other selects/);
      }
      const { code, output } = await store.start("up", withContext("moved"), "--refresh").ended;
      assert.equal(code, 0, output);
      assert.match(output, /Docker has moved from unix:\/\/\/var\/run\/docker\.sock to /);
      assert.match(output, /unchanged/);
    } finally {
      other.close();
      // The next `up` finds the daemon at its default address again; the address in the state is dead.
      await proxy.cut();
      rmSync(folder, { recursive: true });
    }
  });

  it("reports a Docker daemon that becomes unreachable during the up", async () => {
    addBroken({ main: "setInterval(() => {}, 1000)" });
    const proxy = await DaemonProxy.start();
    try {
      store.configure({ services: ["inventory", "broken"], dockerHost: proxy.host });
      const { ended } = store.start("up");
      await proxy.whenSeen(/\/containers\/create/);
      await proxy.cut();
      expectFailure(
        await ended,
        /Docker at unix:.* doesn't answer|lost the connection|unreachable/i,
        /\.\/store/,
      );
    } finally {
      await proxy.cut();
    }
  });

  it("can be repeated after it was killed", async () => {
    addBroken({ main: "setInterval(() => {}, 1000)" });
    const up = store.start("up");
    await brokenIsCreated();
    process.kill(-(up.process.pid ?? 0), "SIGKILL");
    await up.ended;
  });

  it("rejects a concurrent up, and stops on Ctrl-C with the command that continues", async () => {
    addBroken({
      main: "setInterval(() => {}, 1000)",
      health: ["sh", "-c", "until [ -e /tmp/healthy ]; do sleep 0.2; done"],
      withinSeconds: 300,
    });
    const first = store.start("up");
    await brokenIsCreated();

    const [second, review] = await Promise.all([
      store.run("up"),
      store.run("preview", "--markdown"),
    ]);
    assert.equal(second.code, 1, second.output);
    assert.match(second.output, /another/i);
    assert.match(second.output, new RegExp(`\\b${first.process.pid}\\b`), "the process ID");
    assertNoTrace(second.output);
    assert.equal(review.code, 1, review.output);
    assert.match(review.output, new RegExp(`\\b${first.process.pid}\\b`));
    assert.doesNotMatch(review.output, /after this request/);

    // Signal the process group, like a terminal.
    process.kill(-(first.process.pid ?? 0), "SIGINT");
    await eventually(
      () => Promise.resolve(/\^C received/.test(first.output())),
      "the engine doesn't notice Ctrl-C",
    );
    // The engine finishes the running step, which waits for the health check.
    for (const { id } of await broken()) await run("docker", ["exec", id, "touch", "/tmp/healthy"]);
    const { code, output } = await first.ended;
    assert.equal(code, 130, output);
    assert.match(output, /interrupted/i);
    assert.match(output, /\.\/store up/);
    assertNoTrace(output);
  });

  it("rejects an unknown command, or flags that don't fit each other, with exit code 2", async () => {
    for (const [command, ...flags] of [
      ["upp"],
      ["preview", "--base", "x.json"],
      ["preview", "--json", "--checkout-only", "--diff"],
    ] as const) {
      const { code, output } = await store.run(command, ...flags);
      assert.equal(code, 2, output);
      assertNoTrace(output);
    }
  });

  async function broken(): Promise<Container[]> {
    return (await store.containers()).filter(({ service }) => service === "broken");
  }

  function brokenIsCreated(): Promise<void> {
    return eventually(async () => (await broken()).length > 0, "the container isn't created");
  }

  /** Adds a service. By default, its health check always fails, and `up` waits a minute for it. */
  function addBroken(how: {
    dockerfile?: string;
    main?: string;
    health?: readonly string[];
    withinSeconds?: number;
  }): void {
    mkdirSync(join(store.folder, "services/broken"), { recursive: true });
    const health = { command: how.health ?? ["false"], withinSeconds: how.withinSeconds ?? 60 };
    store.write(
      "services/broken/service.ts",
      `export default ${JSON.stringify({ port: 4000, health })};\n`,
    );
    store.write("services/broken/main.js", how.main ?? "");
    store.write(
      "services/broken/Dockerfile",
      `ARG NODE_IMAGE\nFROM \${NODE_IMAGE}\nCOPY main.js /\n${how.dockerfile ?? ""}USER 1000\nENTRYPOINT []\nCMD ["node", "/main.js"]\n`,
    );
    store.configure({ services: ["inventory", "broken"] });
  }

  async function fails(...messages: RegExp[]): Promise<void> {
    expectFailure(await store.run("up"), ...messages);
  }

  async function failsWith(
    environment: Record<string, string>,
    ...messages: RegExp[]
  ): Promise<void> {
    const { ended } = store.start("up", environment);
    expectFailure(await ended, ...messages);
  }

  function expectFailure({ code, output }: CommandResult, ...messages: RegExp[]): void {
    assert.equal(code, 1, output);
    for (const message of messages) assert.match(output, message);
    assertNoTrace(output);
  }

  function assertNoTrace(output: string): void {
    assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$/m, output);
  }
});

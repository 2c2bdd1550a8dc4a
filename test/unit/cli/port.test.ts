import assert from "node:assert/strict";
import { once } from "node:events";
import { AddressInfo, createServer, Server } from "node:net";
import { checkPorts, freePortAfter, portHolder } from "@store/cli/diagnostics/rules/port";
import { LABEL } from "../../../components/container/labelNames";
import { ContainerSummary } from "@store/cli/docker/containers";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { createSession, writeState } from "./diagnostics/failedRun";

describe("portHolder", () => {
  const session = createSession({ "store:host": "local" });
  let server: Server;
  let port: number;
  beforeEach(async () => {
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => server.close());

  it("describes the process that listens on the port", async () => {
    const holder = await portHolder(session, undefined, port);
    assert.equal(holder?.isOwnGateway, false);
    assert.match(holder.description ?? "", new RegExp(`process ${process.pid} \\(.*node`));
  });

  it("is undefined if a process of another machine may listen, whatever listens here", async () => {
    const remote = createSession({ "store:host": "ssh" });
    assert.equal(await portHolder(remote, undefined, port), undefined);
    const docker = { host: "ssh://host", list: () => Promise.resolve([]) } as unknown as Docker;
    assert.equal(await portHolder(session, docker, port), undefined);
  });

  it("is undefined for a free port", async () => {
    await new Promise((closed) => server.close(closed));
    assert.equal(await portHolder(session, undefined, port), undefined);
  });

  it("describes the container that publishes the port", async () => {
    const labels = { [LABEL.project]: "store", [LABEL.stack]: "other", [LABEL.role]: "gateway" };
    assert.deepEqual(await portHolder(session, dockerWith("1", labels), port), {
      isOwnGateway: false,
      description: "the container proxy of the stack other",
    });
    assert.deepEqual(await portHolder(session, dockerWith("1", {}), port), {
      isOwnGateway: false,
      description: "the container proxy",
    });
  });

  it("recognizes the stack's own gateway by the state, not by its labels", async () => {
    writeState(session, { containers: ["1"] });
    const labels = { [LABEL.project]: "store", [LABEL.stack]: "dev", [LABEL.role]: "gateway" };
    const own = await portHolder(session, dockerWith("1", labels), port);
    assert.equal(own?.isOwnGateway, true);
    const renamed = { ...labels, [LABEL.stack]: "before-its-renaming" };
    assert.equal((await portHolder(session, dockerWith("1", renamed), port))?.isOwnGateway, true);
    assert.deepEqual(await portHolder(session, dockerWith("2", labels), port), {
      isOwnGateway: false,
      description: "the container proxy of another checkout's stack dev",
    });
  });

  it("is refused with its own key if it is that of HTTPS, which counts only with a domain", async () => {
    const list = () => Promise.resolve([]);
    const local = { host: "unix:///docker.sock", list } as unknown as Docker;
    const keys = { "store:host": "local", "store:httpPort": 65_535, "store:httpsPort": port };
    await checkPorts(createSession(keys), local);
    await assert.rejects(
      checkPorts(createSession({ ...keys, "store:domain": "shop.example.org" }), local),
      (error: unknown) =>
        error instanceof CliError &&
        /\(store:httpsPort\) is already in use/.test(error.message) &&
        /config set httpsPort \d+ && /.test(error.hint ?? ""),
    );
  });

  it("is refused before an `up` changes anything, with a free port and the stack in the remedy", async () => {
    const taken = createSession({ "store:host": "local", "store:httpPort": port });
    const list = () => Promise.resolve([]);
    const local = { host: "unix:///docker.sock", list } as unknown as Docker;
    await assert.rejects(checkPorts(taken, local), (error: unknown) => {
      assert.ok(error instanceof CliError);
      assert.match(
        error.message,
        new RegExp(`^Port ${port} \\(store:httpPort\\) is already in use by process`),
      );
      const [, suggested] =
        /config set httpPort (\d+) && \.\/store up$/.exec(error.hint ?? "") ?? [];
      assert.ok(Number(suggested) > 0 && Number(suggested) !== port);
      return true;
    });
    await checkPorts(taken, { host: "ssh://host", list } as unknown as Docker);
  });

  it("has a suggestion that exists, for the last port, too", async () => {
    assert.equal(await freePortAfter(65_535), 8080);
    assert.notEqual(await freePortAfter(port - 1), port);
  });

  function dockerWith(Id: string, Labels: Record<string, string>): Docker {
    const container = { Id, Names: ["/proxy"], Labels, Ports: [{ PublicPort: port }], Status: "" };
    const list = () => Promise.resolve([container as unknown as ContainerSummary]);
    return { list } as unknown as Docker;
  }
});

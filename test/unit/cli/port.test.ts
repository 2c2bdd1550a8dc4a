import assert from "node:assert/strict";
import { once } from "node:events";
import { AddressInfo, createServer, Server } from "node:net";
import { portHolder } from "@store/cli/diagnostics/port";
import { ContainerSummary, LABEL } from "@store/cli/docker/containers";
import type { Docker } from "@store/cli/docker/docker";
import { createSession } from "./failedRun";

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

  it("is undefined for a free port", async () => {
    await new Promise((closed) => server.close(closed));
    assert.equal(await portHolder(session, undefined, port), undefined);
  });

  it("describes the container that publishes the port, and recognizes the stack's own gateway", async () => {
    const own = { [LABEL.project]: "store", [LABEL.stack]: "dev", [LABEL.role]: "gateway" };
    assert.deepEqual(await portHolder(session, dockerWith(own), port), {
      isOwnGateway: true,
      description: "the container proxy of the stack dev",
    });
    const other = { ...own, [LABEL.stack]: "other" };
    assert.equal((await portHolder(session, dockerWith(other), port))?.isOwnGateway, false);
    assert.deepEqual(await portHolder(session, dockerWith({}), port), {
      isOwnGateway: false,
      description: "the container proxy",
    });
  });

  function dockerWith(Labels: Record<string, string>): Docker {
    const container = { Names: ["/proxy"], Labels, Ports: [{ PublicPort: port }] };
    const list = () => Promise.resolve([container as unknown as ContainerSummary]);
    return { list } as unknown as Docker;
  }
});

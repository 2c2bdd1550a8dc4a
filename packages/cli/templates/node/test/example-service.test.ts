import assert from "node:assert/strict";
import { createDatabase, type RunningService, startService } from "@store/kit/testing";

describe("example-service", () => {
  let service: RunningService;

  before(async () => {
    const database = await createDatabase();
    service = await startService("example-service", database.environment);
    await service.ready();
  });
  after(() => service.stop());

  it("lists the items that were added", async () => {
    const added = await fetch(`${service.url}/api/example-service/items`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "First" }),
    });
    assert.equal(added.status, 201);
    const { items } = (await service.json("/api/example-service/items")) as {
      items: { name: string }[];
    };
    assert.deepEqual(
      items.map(({ name }) => name),
      ["First"],
    );
  });

  it("answers the requests of Docker, the gateway and Prometheus", async () => {
    for (const path of ["/healthz", "/readyz", "/metrics", "/openapi.json"]) {
      assert.equal((await fetch(`${service.url}${path}`)).status, 200, path);
    }
  });
});

import assert from "node:assert/strict";
import { selectServices } from "@store/cli/devServices/devService";

describe("the ports of ./store services", () => {
  it("differ, and are none that an outgoing connection takes before a service starts", async () => {
    const ports = (await selectServices([])).map(({ port }) => port);
    assert.equal(new Set(ports).size, ports.length);
    assert.ok(ports.length >= 5);
    assert.ok(
      ports.every((port) => port >= 20_000 && port < 32_000),
      ports.join(", "),
    );
  });
});

import assert from "node:assert/strict";
import { RunError } from "@pulumi/pulumi";
import { existing } from "../../../components/host/azure/existing";

describe("existing", () => {
  it("returns what Azure answers", async () => {
    assert.equal(await existing(Promise.resolve("example.org")), "example.org");
  });

  it("fails with Azure's message, which the engine shows without a stack trace", async () => {
    const message = "invocation of azure-native:dns:getZone returned an error: not found";
    await assert.rejects(existing(Promise.reject(new Error(message))), (error: Error) => {
      assert.ok(RunError.isInstance(error));
      assert.equal(error.message, message);
      return true;
    });
  });
});

import assert from "node:assert/strict";
import { listPackages } from "@store/cli/commands/inspect/sbom";
import { CliError, ExitCode } from "@store/docker/cliError";

describe("./store sbom", () => {
  it("reports why syft can't be started", () => {
    assert.throws(
      () => listPackages("/nowhere/syft", [], {}),
      (error: unknown) => error instanceof CliError && error.message.includes("ENOENT"),
    );
  });

  it("fails if syft fails", () => {
    assert.equal(listPackages("/bin/false", [], {}), ExitCode.Failed);
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reset, setMocks } from "../mocks";

/** Runs a suite under mocks in a temporary working directory, because the program writes ssh's files below the current one. */
export function mockedInOwnFolder(): void {
  const start = process.cwd();
  let folder = "";
  before(async () => {
    await setMocks();
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    process.chdir(folder);
  });
  after(() => {
    process.chdir(start);
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(reset);
}

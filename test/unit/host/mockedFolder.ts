import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reset, setMocks } from "../mocks";

/** Has the tests of a suite run the program under mocks in a folder of their own: it writes ssh's files relative to where it runs. */
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

import { strict as assert } from "node:assert";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { noteUse } from "@store/toolchain/engine/engineCache";

const DAY_MS = 86_400_000;

describe("Built engines", () => {
  let cache: string;
  let notes: string[];
  const now = Date.now();
  const report = {
    step: () => undefined,
    progress: () => undefined,
    note: (line: string) => void notes.push(line),
  };
  beforeEach(() => {
    cache = mkdtempSync(path.join(os.tmpdir(), "engine-cache-"));
    notes = [];
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  /** One that was last used so many days ago. */
  const engine = (key: string, days: number): string => {
    const folder = path.join(cache, `engine-${key.repeat(16)}`);
    mkdirSync(path.join(folder, "bin"), { recursive: true });
    writeFileSync(path.join(folder, "bin", "pulumi"), "");
    const used = (now - days * DAY_MS) / 1000;
    utimesSync(folder, used, used);
    return folder;
  };

  it("are removed 30 days after their last use", async () => {
    const [mine, theirs, old] = [engine("a", 2), engine("b", 29), engine("c", 31)];
    mkdirSync(path.join(cache, "base-images"));
    utimesSync(path.join(cache, "base-images"), 1, 1);
    assert.equal(await noteUse(mine, report, now), true);
    assert.deepEqual(readdirSync(cache).sort(), [
      "base-images",
      path.basename(mine),
      path.basename(theirs),
    ]);
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? "", new RegExp(`wasn't used for 30 days: ${old}$`));
  });

  it("stay if a checkout uses them again, however old they are", async () => {
    const [back, mine] = [engine("a", 400), engine("b", 2)];
    assert.equal(await noteUse(back, report, now), true);
    assert.equal(await noteUse(mine, report, now), true);
    assert.ok(existsSync(path.join(back, "bin", "pulumi")));
    assert.deepEqual(notes, []);
  });

  it("are checked at most once a day", async () => {
    const [mine, old] = [engine("a", 0.5), engine("c", 31)];
    assert.equal(await noteUse(mine, report, now), true);
    assert.ok(existsSync(old));
  });

  it("are reported as missing when removed, and the rest of an interrupted removal is deleted", async () => {
    assert.equal(await noteUse(path.join(cache, "engine-none"), report, now), false);
    const half = `${engine("c", 31)}.removed`;
    mkdirSync(half);
    await noteUse(engine("a", 2), report, now);
    assert.ok(!existsSync(half));
  });
});

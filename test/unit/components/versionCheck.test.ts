import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { versionCheck } from "../../../components/database/database";

describe("versionCheck", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "data-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes data as the image of a version does; without content, as if the image had been stopped at once. */
  function writtenBy(major: number, content = `${major}\n`): void {
    mkdirSync(join(folder, `${major}/docker`), { recursive: true });
    writeFileSync(join(folder, `${major}/docker/PG_VERSION`), content);
  }

  /** @returns the error, or an empty string if the image may start. */
  function refusal(major: number, data = `/var/lib/postgresql/${major}/docker`): string {
    const { status, stderr } = spawnSync("sh", ["-s"], {
      input: versionCheck("orders", folder),
      encoding: "utf8",
      env: { PG_MAJOR: String(major), PGDATA: data },
    });
    assert.equal(status, stderr === "" ? 0 : 1, stderr);
    return stderr;
  }

  it("accepts an empty volume and data of the same version", () => {
    assert.equal(refusal(18), "");
    writtenBy(18);
    assert.equal(refusal(18), "");
  });

  it("refuses a newer and an older version, and describes the migration", () => {
    writtenBy(18);
    const newer = refusal(19);
    assert.match(newer, /^store:postgresImage: the data of orders was written by PostgreSQL 18, /);
    assert.match(
      newer,
      /PostgreSQL 19 would start with an empty database\. Set the old version back\./,
    );
    assert.match(newer, /orders-database -- pg_dump .*>orders\.sql\).* psql .*<orders\.sql\)\.\n$/);
    writtenBy(19);
    assert.equal(refusal(19), "");
    assert.match(refusal(20), /written by PostgreSQL 1[89]/);
  });

  it("ignores the folder of a version without data", () => {
    writtenBy(19, "");
    assert.equal(refusal(18), "");
  });

  it("refuses an image with its data outside the volume", () => {
    assert.match(
      refusal(17, "/var/lib/postgresql/data"),
      /^store:postgresImage: the image of PostgreSQL 17 keeps its data in \/var\/lib\/postgresql\/data/,
    );
  });
});

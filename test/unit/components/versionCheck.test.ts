import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { versionCheck } from "../../../components/database/database";

describe("versionCheck", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "data-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes data as the image of a version does; without content, as if the image had been stopped at once. */
  function writtenBy(major: number, content = `${major}\n`, name = "docker"): void {
    mkdirSync(join(folder, `${major}/${name}`), { recursive: true });
    writeFileSync(join(folder, `${major}/${name}/PG_VERSION`), content);
  }

  /**
   * @param user ID of the image's user. Defaults to the one that has written the data.
   * @returns the error, or an empty string if the image may start.
   */
  function refusal(
    major: number,
    data = `/var/lib/postgresql/${major}/docker`,
    user = statSync(folder).uid,
  ): string {
    const bin = join(folder, ".bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "id"), `#!/bin/sh\n[ "$*" = "-u postgres" ] && echo ${user}\n`, {
      mode: 0o755,
    });
    const { status, stderr } = spawnSync("sh", ["-s"], {
      input: versionCheck("orders", folder),
      encoding: "utf8",
      env: { PATH: `${bin}:${process.env["PATH"]}`, PG_MAJOR: String(major), PGDATA: data },
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

  it("refuses an image whose user isn't the one that has written the data, such as an Alpine image", () => {
    writtenBy(18);
    const alpine = refusal(18, undefined, 4711);
    assert.match(
      alpine,
      /data of orders belong to user \d+ .* as user 4711.*Set the old image back/s,
    );
    assert.match(alpine, /with the old image, dump each database/);
  });

  it("ignores the folder of a version without data", () => {
    writtenBy(19, "");
    assert.equal(refusal(18), "");
  });

  it("ignores the half-made data folder of an interrupted first start, which holds no data", () => {
    writtenBy(18, undefined, "docker.new");
    writtenBy(18, undefined, "docker.incomplete");
    assert.equal(refusal(18), "");
    assert.equal(refusal(19), "");
  });

  it("refuses an image with its data outside the volume", () => {
    assert.match(
      refusal(17, "/var/lib/postgresql/data"),
      /^store:postgresImage: the image of PostgreSQL 17 keeps its data in \/var\/lib\/postgresql\/data/,
    );
  });
});

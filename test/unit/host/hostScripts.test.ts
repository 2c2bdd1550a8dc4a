import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWithoutComments, withArguments } from "../../../components/shell/shell";

const FOLDER = join(__dirname, "../../../components/host/azure");
const GIB = 1024 ** 3;

describe("Scripts on an Azure host", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a script of the host with these scripts instead of the system's commands. */
  function run(file: string, args: readonly string[], tools: Record<string, string>) {
    const all = { sudo: 'exec "$@"', sleep: `echo x >>${folder}/slept`, ...tools };
    for (const [name, text] of Object.entries(all))
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const script = withArguments(readWithoutComments(FOLDER, file), args);
    // Other commands may follow in the same script.
    return spawnSync("sh", ["-c", `${script}\ntouch ${folder}/continued`], {
      env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
      encoding: "utf8",
    });
  }

  describe("growFileSystem.sh", () => {
    const grow = (blockdev: string) =>
      run("growFileSystem.sh", ["/data", "64"], {
        findmnt: `[ "$*" = "--noheadings --output SOURCE --mountpoint /data" ] && echo /dev/sdz`,
        blockdev,
        resize2fs: `echo "$1" >${folder}/resized`,
      });

    it("grows the file system on the device that is mounted there", () => {
      assert.equal(grow(`echo ${64 * GIB}`).status, 0);
      assert.equal(readFileSync(join(folder, "resized"), "utf8"), "/dev/sdz\n");
      assert.ok(existsSync(join(folder, "continued")));
      assert.equal(existsSync(join(folder, "slept")), false);
    });

    it("waits for the new size of the disk", () => {
      const { status } = grow(`[ -e ${folder}/slept ] && echo ${64 * GIB} || echo ${32 * GIB}`);
      assert.equal(status, 0);
      assert.ok(existsSync(join(folder, "resized")));
    });

    it("fails with the reason in one line if the file system doesn't grow", () => {
      const { status, stderr } = run("growFileSystem.sh", ["/data", "64"], {
        findmnt: "echo /dev/sdz",
        blockdev: `echo ${64 * GIB}`,
        resize2fs: "printf 'resize2fs 1.47.0\\nPermission denied\\n' >&2; exit 1",
      });
      assert.equal(status, 1);
      assert.equal(
        stderr,
        "the file system on the data disk doesn't grow to 64 GiB: Permission denied\n",
      );
    });

    it("fails if the VM never sees the new size", () => {
      const { status, stderr } = grow(`echo ${32 * GIB}`);
      assert.equal(status, 1);
      assert.match(stderr, /doesn't see the new size of its data disk \(64 GiB\)/);
      assert.equal(existsSync(join(folder, "resized")), false);
    });
  });

  describe("cloudInitReady.sh", () => {
    it("reports a data disk that isn't mounted instead of Docker, which doesn't start without it", () => {
      const { status, stderr } = run("cloudInitReady.sh", ["/data"], {
        "cloud-init": "echo 'status: done'",
        mountpoint: "exit 1",
        docker: "exit 1",
      });
      assert.equal(status, 1);
      assert.match(stderr, /^The data disk isn't mounted at \/data\./);
      assert.doesNotMatch(stderr, /Docker doesn't run/);
    });
  });

  describe("liveRestore.sh", () => {
    const DAEMON = '{\n  "live-restore": true,\n  "log-driver": "local"\n}\n';
    const set = (info: string) =>
      run("liveRestore.sh", ["false"], {
        // The file of this machine isn't changed.
        sed: `for file; do :; done; [ "$file" = /etc/docker/daemon.json ] || exit 9; /bin/sed "$1" "$2" ${folder}/daemon.json`,
        systemctl: `echo "$*" >${folder}/systemctl`,
        docker: info,
      });
    beforeEach(() => writeFileSync(join(folder, "daemon.json"), DAEMON));

    it("sets it in Docker's configuration, and waits until a reload has applied it", () => {
      const { status } = set(`[ -e ${folder}/slept ] && echo false || echo true`);
      assert.equal(status, 0);
      const text = readFileSync(join(folder, "daemon.json"), "utf8");
      assert.deepEqual(JSON.parse(text), { "live-restore": false, "log-driver": "local" });
      assert.equal(readFileSync(join(folder, "systemctl"), "utf8"), "reload docker\n");
    });

    it("fails if Docker keeps the former value", () => {
      const { status, stderr } = set("echo true");
      assert.equal(status, 1);
      assert.match(stderr, /^Docker's live-restore is still not false after a reload\./);
    });
  });
});

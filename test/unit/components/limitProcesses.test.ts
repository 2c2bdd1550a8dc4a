import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SCRIPT = resolve(__dirname, "../../../components/container/limitProcesses.sh");

describe("limitProcesses.sh", () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "limits-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("sets each limit by one command", () => {
    limitProcesses("true");
    assert.equal(updates(), "update --pids-limit 512 one\nupdate --pids-limit 128 two three\n");
  });

  it("sets no limit on a daemon without cgroups, such as a rootless one, which refuses it", () => {
    limitProcesses("false");
    assert.equal(updates(), "");
  });

  /** Runs the script with a stub for the docker command, whose daemon reports this PidsLimit. */
  function limitProcesses(supported: string): void {
    const stub = `#!/bin/sh\nif [ "$1" = info ]; then echo ${supported}; else echo "$@" >>${folder}/updates; fi\n`;
    writeFileSync(join(folder, "docker"), stub, { mode: 0o755 });
    execFileSync("sh", [SCRIPT, "512", "one", "128", "two three"], {
      env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
    });
  }

  function updates(): string {
    const file = join(folder, "updates");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }
});

import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeSshFiles } from "../../../components/host/ssh/sshFiles";

describe("writeSshFiles", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-ssh-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (key: string): ReturnType<typeof writeSshFiles> =>
    writeSshFiles(folder, {
      address: "203.0.113.80",
      port: 22,
      privateKey: key,
      hostKey: "ssh-ed25519 AAAA",
    });

  it("writes files that only the current user can read", () => {
    const { identity, knownHosts } = write("KEY");
    assert.equal(readFileSync(identity, "utf8"), "KEY\n");
    assert.equal(readFileSync(knownHosts, "utf8"), "203.0.113.80 ssh-ed25519 AAAA\n");
    for (const file of [identity, knownHosts]) assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("replaces files in one step for concurrent readers", () => {
    const { identity } = write("KEY");
    const reader = openSync(identity, "r");
    write("ANOTHER KEY");
    assert.equal(readFileSync(reader, "utf8"), "KEY\n");
    closeSync(reader);
    assert.equal(readFileSync(identity, "utf8"), "ANOTHER KEY\n");
    assert.deepEqual(readdirSync(folder).sort(), ["identity", "known_hosts"]);
  });
});

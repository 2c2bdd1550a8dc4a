import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { sshConfigText, sshWrapper } from "@store/cli/host/remoteHost";

describe("the ssh that docker starts", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-ssh-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const name of ["plain", "Bob's | folder", 'a "b" $c \\d'])
    it(`runs the user's ssh with the stack's configuration in a checkout called ${name}`, () => {
      const bin = join(folder, name, "bin");
      const own = join(folder, "own");
      for (const one of [bin, own]) mkdirSync(one, { recursive: true });
      const sshConfig = join(folder, name, "config");
      writeFileSync(join(bin, "ssh"), sshWrapper({ alias: "store-x", bin, sshConfig }), {
        mode: 0o700,
      });
      writeFileSync(join(own, "ssh"), '#!/bin/sh\nprintf "%s\\n" "$@"\necho "$PATH"\n', {
        mode: 0o700,
      });
      const rest = [own, "/usr/bin", "/bin"];
      const output = execFileSync(join(bin, "ssh"), ["host", "two words"], {
        encoding: "utf8",
        env: { PATH: [bin, bin, ...rest, bin].join(delimiter) },
      });
      assert.deepEqual(output.trimEnd().split("\n"), [
        ...["-F", sshConfig, "host", "two words"],
        rest.join(delimiter),
      ]);
    });
});

describe("the ssh configuration of a stack", () => {
  it("has the host and the workers before everything else of the user's", () => {
    const machines = [
      { address: "203.0.113.80", port: 22, user: "me" },
      { address: "2001:db8::1", port: 2222, user: "you$&" },
    ];
    const files = { identity: "/a b/identity", knownHosts: "/a b/known_hosts" };
    const text = sshConfigText({ alias: "store-x", machines, ...files });
    const lines = text.split("\n").map((line) => line.trim());
    assert.deepEqual(
      lines.filter((line) => /^(Host|HostName|Port|User|Include) /.test(line)),
      [
        ...["Host store-x", "HostName 203.0.113.80", "Port 22", "User me"],
        ...["Host store-x-1", "HostName 2001:db8::1", "Port 2222", "User you$&"],
        ...["Host *", "Include ~/.ssh/config"],
      ],
    );
    const pinned = ['IdentityFile "/a b/identity"', 'UserKnownHostsFile "/a b/known_hosts"'];
    for (const line of pinned) assert.equal(lines.filter((one) => one === line).length, 2);
  });
});

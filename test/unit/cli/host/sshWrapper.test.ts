import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { sshWrapper } from "@store/cli/host/remoteHost";

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

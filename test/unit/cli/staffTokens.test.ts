import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError, UsageError } from "@store/docker/cliError";
import { parseProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import {
  newToken,
  parseTokenName,
  refuseExisting,
  refuseRemoval,
  removedValue,
  tokenNames,
} from "@store/cli/staff/staffTokens";

describe("the staff tokens of a stack's file", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-tokens-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function sessionWith(tokens: Readonly<Record<string, string>>): Session {
    const file = join(folder, "Pulumi.trial.yaml");
    writeFileSync(file, JSON.stringify({ config: { "store:staffTokens": tokens } }));
    const project = parseProject(folder, "name: store\nruntime: nodejs\n");
    return { project, stack: { name: "trial", file } } as Session;
  }
  const hash = `sha256:${"0".repeat(64)}`;

  it("are the stack's own and those that were added", () => {
    assert.deepEqual(tokenNames(sessionWith({})), ["staff"]);
    assert.deepEqual(tokenNames(sessionWith({ zoe: hash, ana: hash })), ["ana", "staff", "zoe"]);
    assert.deepEqual(tokenNames(sessionWith({ ana: hash, staff: "removed" })), ["ana"]);
    assert.deepEqual(tokenNames(sessionWith({ staff: hash })), ["staff"]);
  });

  it("include no name twice, but one that was removed before", () => {
    const names = sessionWith({ ana: hash });
    for (const name of ["ana", "staff"]) {
      assert.throws(() => refuseExisting(names, name), {
        summary: `Stack trial already has a token named ${name}.`,
        hint: new RegExp(`token add ${name}-2 -s trial\n.*token remove ${name} -s trial`),
      });
    }
    refuseExisting(names, "zoe");
    refuseExisting(sessionWith({ ana: hash, staff: "removed" }), "staff");
  });

  it("can be removed if there is one of the name and another one", () => {
    refuseRemoval(sessionWith({ ana: hash }), "staff");
    refuseRemoval(sessionWith({ ana: hash }), "ana");
    assert.throws(() => refuseRemoval(sessionWith({ ana: hash }), "bob"), {
      summary: "Stack trial has no token named bob.",
      hint:
        "Its tokens, in Pulumi.trial.yaml: ana, staff.\n" +
        "If it still works, ./store up trial applies the file.",
    });
    for (const [names, last] of [
      [{}, "staff"],
      [{ ana: hash, staff: "removed" }, "ana"],
    ] as const)
      assert.throws(() => refuseRemoval(sessionWith(names), last), CliError);
    assert.deepEqual([removedValue("staff"), removedValue("ana")], ["removed", undefined]);
  });

  it("have names that fit into YAML, command lines and logs", () => {
    assert.equal(parseTokenName("ana-2", "add"), "ana-2");
    for (const name of [
      undefined,
      "",
      "Ana",
      "ana silva",
      "ana.silva",
      "1st",
      "../x",
      "a".repeat(33),
    ])
      assert.throws(() => parseTokenName(name, "remove"), UsageError);
  });

  it("are random letters and digits", () => {
    assert.match(newToken(), /^[A-Za-z0-9]{40}$/);
    assert.notEqual(newToken(), newToken());
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { remoteCommand } from "@store/cli/commands/inspect/exec";

describe("./store exec on another machine", () => {
  it("passes each word of the command unchanged through the shell of the machine", () => {
    const words = ["a b", "it's", "$HOME", "`id`", '"quoted"', "back\\slash", "", "line\nbreak"];
    const command = remoteCommand("printf", ["<%s>", ...words]);
    const output = execFileSync("sh", ["-c", command]).toString();
    assert.equal(output, words.map((word) => `<${word}>`).join(""));
  });
});

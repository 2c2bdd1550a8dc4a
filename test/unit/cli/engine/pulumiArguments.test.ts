import assert from "node:assert/strict";
import {
  editsConfig,
  folderArgument,
  hasOption,
  stackArgument,
  wordsOf,
} from "@store/cli/engine/pulumiArguments";

describe("The arguments of ./store pulumi", () => {
  it("name the command after options, too", () => {
    for (const options of [
      "-s trial",
      "--stack trial",
      "--stack=trial",
      "-strial",
      "--non-interactive",
      "-C . -v 3 --color never -e",
    ]) {
      const args = options.split(" ");
      assert.deepEqual(wordsOf([...args, "stack", "rename", "x"]), ["stack", "rename", "x"]);
      assert.deepEqual(wordsOf(["stack", ...args, "rename", "x"]), ["stack", "rename", "x"]);
    }
    assert.deepEqual(wordsOf(["config", "--show-secrets", "get", "--", "-x"]), [
      ...["config", "get", "-x"],
    ]);
    assert.deepEqual(wordsOf(["--version"]), []);
  });

  it("edit the stack's file by `config set` and `config rm`, with options anywhere", () => {
    assert.ok(editsConfig(["config", "set", "httpPort", "9000"]));
    assert.ok(editsConfig(["config", "-s", "trial", "rm", "httpPort"]));
    assert.ok(editsConfig(["-s", "trial", "config", "set", "--path", "live[0]", "orders"]));
    assert.ok(editsConfig(["--cwd", ".", "config", "set-all", "--plaintext", "a=b"]));
    assert.ok(!editsConfig(["config", "get", "set"]));
    assert.ok(!editsConfig(["stack", "rm"]));
  });

  it("name the stack in each spelling that pulumi accepts", () => {
    assert.equal(stackArgument(["config", "-s", "staging"]), "staging");
    assert.equal(stackArgument(["config", "-sstaging"]), "staging");
    assert.equal(stackArgument(["config", "--stack", "staging"]), "staging");
    assert.equal(stackArgument(["config", "--stack=staging"]), "staging");
    assert.equal(stackArgument(["up", "-ys", "staging"]), "staging");
    assert.equal(stackArgument(["up", "-yfsstaging"]), "staging");
    assert.equal(stackArgument(["-Cdocs", "config"]), undefined);
    assert.equal(stackArgument(["config"]), undefined);
    assert.equal(stackArgument(["config", "set", "--", "-s", "x"]), undefined);
  });

  it("may name a folder and have options with a value in the same argument", () => {
    assert.equal(folderArgument(["-C", "a", "up"]), "a");
    assert.equal(folderArgument(["up", "--cwd=a"]), "a");
    assert.equal(folderArgument(["up", "--config", "x"]), undefined);
    assert.ok(hasOption(["up", "--refresh=true"], "--refresh", "-r"));
    assert.ok(!hasOption(["up", "--", "--refresh"], "--refresh", "-r"));
  });
});

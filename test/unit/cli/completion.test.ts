import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Option } from "commander";
import { defineCommand } from "@store/cli/commands/command";
import { STACK_ARGUMENT, STACK_FLAGS } from "@store/cli/commands/stackFlags";
import { completionScript, type Shell } from "@store/cli/completion/completionScript";
import { completionTable } from "@store/cli/completion/completionTable";

const base = { parse: () => ({}), run: () => Promise.resolve(0), examples: [] };
const UP = defineCommand({
  ...base,
  name: "up",
  summary: "bring the stack's services up",
  arguments: [STACK_ARGUMENT],
  flags: [...STACK_FLAGS, new Option("--pace <pace>", "the pace").choices(["slow", "fast"])],
});
const LOGS = defineCommand({
  ...base,
  name: "logs",
  summary: "logs",
  arguments: [new Argument("[service]", "a service or gateway")],
  flags: [new Option("--since <time>", "time")],
});

const USE = defineCommand({
  ...base,
  name: "use",
  summary: "use",
  arguments: [new Argument("[url]", "a URL"), STACK_ARGUMENT],
  flags: [new Option("--local", "here")],
});
const ADD = defineCommand({ ...base, name: "add", summary: "add", arguments: [STACK_ARGUMENT] });
const TOKEN = {
  ...{ name: "token", summary: "token", examples: [], subcommands: { add: () => ADD } },
  main: defineCommand({ ...base, name: "token", summary: "token", arguments: [STACK_ARGUMENT] }),
};
const STATE = { name: "state", summary: "state", examples: [], subcommands: { use: () => USE } };

/** Words of a command line, with the one to complete last, and what the shell offers. */
const CASES: readonly (readonly [words: string, offered: string])[] = [
  ["./store ", "logs state token up"],
  ["./store l", "logs"],
  ["./store up ", "dev staging"],
  ["./store up dev ", ""],
  ["./store up --p", "--pace"],
  ["./store up --pace ", "fast slow"],
  ["./store up -s st", "staging"],
  ["./store up --pace slow d", "dev"],
  ["./store logs ", "gateway inventory orders"],
  ["./store logs --since ", ""],
  ["./store up -- -", ""],
  ["./store unknown ", ""],
  ["./store token ", "add dev staging"],
  ["./store token add ", "dev staging"],
  ["./store state ", "use"],
  ["./store state use azblob://x d", "dev"],
  ["./store state use --lo", "--local"],
];

describe("the completion", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "store completion-"));
    for (const stack of ["dev", "staging"]) writeFileSync(join(folder, `Pulumi.${stack}.yaml`), "");
    for (const service of ["inventory", "orders"]) {
      mkdirSync(join(folder, "services", service), { recursive: true });
      writeFileSync(join(folder, "services", service, "service.ts"), "");
    }
    for (const shell of ["bash", "zsh", "fish"] as const) {
      writeFileSync(
        join(folder, `store.${shell}`),
        completionScript(shell, completionTable([UP, LOGS, STATE, TOKEN])),
      );
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a script in the shell and compares its output, a line for each case, with the words that are expected. */
  function assertOffers(shell: Shell, args: readonly string[], script: string): void {
    const { stdout, stderr } = spawnSync(shell, [...args, "-c", script], {
      cwd: folder,
      encoding: "utf8",
    });
    const offered = stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split(" ").sort().join(" ").trim());
    assert.deepEqual(
      offered,
      CASES.map(([, words]) => words),
      stderr,
    );
  }

  /** Calls the function as bash does. */
  const calls = CASES.map(([line]) => {
    const words = line.split(" ").map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _store; echo "\${COMPREPLY[*]}"`;
  }).join("\n");

  it("offers commands, flags, choices, stacks and services in bash", () => {
    assertOffers("bash", ["--norc"], `source ./store.bash\n${calls}`);
  });

  it("offers the same in zsh", function () {
    if (spawnSync("zsh", ["--version"]).error) this.skip();
    assertOffers("zsh", ["-f"], `source ./store.zsh\nemulate sh; setopt kshglob\n${calls}`);
  });

  it("offers the same in fish", function () {
    if (spawnSync("fish", ["--version"]).error) this.skip();
    const ask = CASES.map(([line]) => `echo (complete -C '${line}' | string split -f 1 \\t)`).join(
      "\n",
    );
    assertOffers("fish", ["--no-config"], `source ./store.fish\n${ask}`);
  });
});

import { Argument } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { completionScript, type Shell, SHELLS } from "../../completion/completionScript";
import { completionTable } from "../../completion/completionTable";
import { type CommandGroup, defineCommand, type StoreCommand } from "../command";

export const completion = defineCommand<object, { readonly shell: Shell }>({
  name: "completion",
  summary: "print the shell's completion of this command",
  arguments: [new Argument("<shell>", "the shell").choices(SHELLS)],
  examples: [
    "./store completion bash > ~/.local/share/bash-completion/completions/store",
    "source <(./store completion zsh)    in ~/.zshrc, by the path of the checkout",
    "./store completion fish > ~/.config/fish/completions/store.fish",
  ],
  notes:
    "Print it again after an update of the store. Names of stacks and services are looked up when they are completed.",
  parse: ({ args: [name] }) => {
    const shell = SHELLS.find((known) => known === name);
    if (shell === undefined) throw new UsageError(`There is no completion for ${name}.`);
    return { shell };
  },
  run: ({ shell }) => {
    process.stdout.write(completionScript(shell, completionTable(allCommands())));
    return Promise.resolve(ExitCode.Ok);
  },
});

/** Loads all commands. Not at the top: main.ts loads this file. */
function allCommands(): (StoreCommand | CommandGroup)[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { COMMANDS } = require("../../main") as typeof import("../../main");
  return Object.values(COMMANDS).map((load) => load());
}

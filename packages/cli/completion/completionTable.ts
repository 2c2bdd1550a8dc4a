import type { Option } from "commander";
import type { CommandGroup, StoreCommand } from "../commands/command";

/** A word that may stand at a place of the command line. */
export interface CompletionRow {
  /** Name of the command, with its group: "state use". Empty for the names of the commands themselves. */
  readonly command: string;
  /** "command", "flag", "value:--flag", "arg1" for the first argument, "arg+" for all that follow. */
  readonly kind: string;
  /** The word, or @stacks, @services or @files: names that the shell looks up when the word is completed. */
  readonly word: string;
  readonly description: string;
}

/** Returns the words of all commands. */
export function completionTable(
  commands: readonly (StoreCommand | CommandGroup)[],
): CompletionRow[] {
  return [...commandNames("", commands), ...commands.flatMap((command) => rowsOf(command))];
}

/** @param prefix Name of the group with a space at its end. @default none */
function rowsOf(command: StoreCommand | CommandGroup, prefix = ""): CompletionRow[] {
  const name = `${prefix}${command.name}`;
  if ("subcommands" in command) {
    const subcommands = Object.values(command.subcommands).map((load) => load());
    const main = command.main ? rowsOf(command.main, prefix) : [];
    return [
      ...commandNames(name, subcommands),
      // The group's own first argument stands where a subcommand may stand.
      ...main.filter(({ kind }) => kind === "arg1").map((its) => ({ ...its, kind: "command" })),
      ...subcommands.flatMap((sub) => rowsOf(sub, `${name} `)),
    ];
  }
  return [
    ...HELP.map((word) => row(name, "flag", word, "describe the command")),
    ...(command.flags ?? []).flatMap((flag) => flagRows(name, flag)),
    ...(command.arguments ?? []).flatMap((argument, index) =>
      wordsOf(argument.name(), argument.argChoices, argument.description).map((word) =>
        row(name, argument.variadic ? "arg+" : `arg${index + 1}`, word, argument.description),
      ),
    ),
  ];
}

function commandNames(
  group: string,
  commands: readonly (StoreCommand | CommandGroup)[],
): CompletionRow[] {
  return commands.map(({ name, summary }) => row(group, "command", name, summary));
}

const HELP = ["-h", "--help"];

function row(command: string, kind: string, word: string, description: string): CompletionRow {
  return { command, kind, word, description };
}

function flagRows(command: string, flag: Option): CompletionRow[] {
  const names = [flag.short, flag.long].filter((name) => name !== undefined);
  const takesValue = flag.required || flag.optional;
  const known = wordsOf(flag.attributeName(), flag.argChoices, flag.description);
  // The shell must know that a flag takes a value, also if there is nothing to offer.
  const values = takesValue && known.length === 0 ? ["@none"] : known;
  return names.flatMap((name) => [
    row(command, "flag", name, flag.description),
    ...(takesValue ? values.map((word) => row(command, `value:${name}`, word, "")) : []),
  ]);
}

/** Words for an argument or a flag's value: its choices, or names by what it is called. */
function wordsOf(
  name: string,
  choices: readonly string[] | undefined,
  description: string,
): readonly string[] {
  if (choices !== undefined) return choices;
  if (name === "stack") return ["@stacks"];
  if (/file/i.test(name)) return ["@files"];
  if (name !== "service") return [];
  const others = description.includes("gateway") ? ["gateway"] : [];
  return ["@services", ...others];
}

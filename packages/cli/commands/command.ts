import { InvalidArgumentError, type Argument, type Option } from "commander";

/** One call of a command, as parsed by commander. */
export interface CommandLine<Flags = object> {
  /** Positional arguments. */
  readonly args: readonly string[];
  readonly flags: Flags;
  /** Everything after `--`. */
  readonly rest: readonly string[];
}

/** Description of a command and its help page. */
interface CommandHelp {
  readonly name: string;
  /** One line for `./store --help`. */
  readonly summary: string;
  /** Text after the name in the usage line. Defaults to the arguments and flags. */
  readonly usage?: string;
  readonly arguments?: readonly Argument[];
  readonly flags?: readonly Option[];
  readonly examples: readonly string[];
  /** Text below the examples. */
  readonly notes?: string;
  /** Passes all arguments to `run` unparsed, including --help. Defaults to false. */
  readonly unparsed?: boolean;
}

/** A command of `./store`, registered by main.ts. */
export interface StoreCommand extends CommandHelp {
  /**
   * Parses the command line and runs the command.
   *
   * @returns The exit code.
   * @throws CliError
   */
  readonly run: (line: CommandLine) => Promise<number>;
}

/** A command with subcommands, such as `./store ci publish`. */
export interface CommandGroup extends Pick<CommandHelp, "name" | "summary" | "examples" | "notes"> {
  /** Runs if no subcommand is named. It has the group's name. @default none: a subcommand is required */
  readonly main?: StoreCommand;
  /** Loaders of the subcommands by name, in the order of the group's help. */
  readonly subcommands: Readonly<Record<string, () => StoreCommand>>;
}

/** Combines the help, the parser and the code of a command. Each file of `commands/` exports one. */
export function defineCommand<Flags, Options>({
  parse,
  run,
  ...help
}: CommandHelp & {
  /** Turns the command line into options. @throws UsageError */
  readonly parse: (line: CommandLine<Flags>) => Options;
  /** Runs the command and returns its exit code. @throws CliError */
  readonly run: (options: Options) => Promise<number>;
}): StoreCommand {
  // Commander fills in the flags that `help.flags` declares; Flags names their types.
  return { ...help, run: async (line) => run(parse(line as CommandLine<Flags>)) };
}

/** Parser of a flag that takes a whole number. */
export function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

/** Parser of a flag that takes a port to listen on. */
export function portNumber(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65535) return Number(text);
  throw new InvalidArgumentError("It must be a port from 1 to 65535.");
}

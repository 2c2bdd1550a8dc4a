/** Pulumi's options without a value that may stand before or between the words of a command. All others take the next argument. */
const SWITCHES: ReadonlySet<string> = new Set([
  ...["--disable-integrity-checking", "--emoji", "--fully-qualify-stack-names", "--help"],
  ...["--logflow", "--logtostderr", "--non-interactive", "--version"],
  // Options of `pulumi stack` and `pulumi config`, which have subcommands.
  ...["--json", "--open", "--show-ids", "--show-name", "--show-secrets", "--show-urns"],
]);
const SHORT_SWITCHES = "eQhiuj";

/** Short options without a value, of any command. One argument may combine them with a last one that has a value: -ys NAME. */
const COMBINABLE = "[eQhiujyfrd]";

/**
 * Returns the words of a Pulumi command line that aren't options: the command, its subcommand and their arguments. Pulumi accepts options
 * anywhere, and takes the argument after an option that it doesn't know yet for the option's value.
 *
 * @see https://github.com/spf13/cobra/blob/v1.9.1/command.go (stripFlags)
 */
export function wordsOf(args: readonly string[]): string[] {
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return [...words, ...args.slice(i + 1)];
    if (!arg.startsWith("-") || arg === "-") words.push(arg);
    else if (takesNext(arg)) i++;
  }
  return words;
}

function takesNext(option: string): boolean {
  if (option.startsWith("--")) return !option.includes("=") && !SWITCHES.has(option);
  // -sNAME and -s=NAME contain the value.
  return option.length === 2 && !SHORT_SWITCHES.includes(option.charAt(1));
}

/** Returns the value of -s or --stack, in each spelling that Pulumi accepts. */
export function stackArgument(args: readonly string[]): string | undefined {
  return valueOf(args, "--stack", new RegExp(`^-${COMBINABLE}*s(?:=?(.+))?$`));
}

/** Returns the value of -C or --cwd, in each spelling that Pulumi accepts. */
export function folderArgument(args: readonly string[]): string | undefined {
  return valueOf(args, "--cwd", /^-C(?:=?(.+))?$/);
}

/** @param short Matches the short option, with its value as the first group if they are one argument. */
function valueOf(args: readonly string[], long: string, short: RegExp): string | undefined {
  for (const [i, arg] of args.entries()) {
    if (arg === "--") return undefined;
    if (arg === long) return args[i + 1];
    if (arg.startsWith(`${long}=`)) return arg.slice(long.length + 1);
    const match = short.exec(arg);
    if (match) return match[1] ?? args[i + 1];
  }
  return undefined;
}

/** Returns true for the arguments of Pulumi's commands that edit the stack's configuration file. */
export function editsConfig(args: readonly string[]): boolean {
  const [command, subcommand = ""] = wordsOf(args);
  return command === "config" && CONFIG_EDITS.has(subcommand);
}

const CONFIG_EDITS: ReadonlySet<string> = new Set(["set", "set-all", "rm", "rm-all"]);

/** Returns true if an option is given, with or without a value. */
export function hasOption(args: readonly string[], ...names: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = args.slice(0, end < 0 ? undefined : end);
  return options.some((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));
}

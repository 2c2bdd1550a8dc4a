import { shellQuote } from "../../../../components/shell/shell";

/** A command line. An argument may contain variables of earlier steps, such as $SUBSCRIPTION. */
export type CommandLine = readonly [program: "az" | "gh", ...args: string[]];

/** Returns a call of the Azure CLI. @param words Arguments without spaces. @param more Further arguments. */
export function az(words: string, ...more: readonly string[]): CommandLine {
  return ["az", ...words.split(" "), ...more];
}

/** Returns a call of the GitHub CLI, like {@link az}. */
export function gh(words: string, ...more: readonly string[]): CommandLine {
  return ["gh", ...words.split(" "), ...more];
}

/** One thing that a team needs, which is looked for and made if it is missing. */
export interface Step {
  readonly title: string;
  /** Prints what exists, one value a line. */
  readonly find: CommandLine;
  /** Line that `find` prints if the thing exists. @default any line */
  readonly expect?: string;
  /** Variable that gets the found line, for later steps. @default none */
  readonly variable?: string;
  /** Makes the thing. Empty if only somebody else can. */
  readonly create: readonly CommandLine[];
}

const VARIABLE = /\$([A-Z][A-Z_]*)/g;

/** Replaces the variables of a command line. @throws Error if one isn't set, which is a mistake in the list of steps */
export function substitute(
  [program, ...args]: CommandLine,
  variables: ReadonlyMap<string, string>,
): CommandLine {
  const replace = (text: string): string =>
    text.replace(VARIABLE, (_, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`No step sets the variable ${name}.`);
      return value;
    });
  return [program, ...args.map(replace)];
}

/** Returns the line of `find` that shows that the thing exists; undefined if it doesn't. */
export function foundLine(output: string, expect?: string): string | undefined {
  const lines = output.split(/\r?\n/).filter((line) => line !== "");
  return expect === undefined ? lines[0] : lines.find((line) => line === expect);
}

/** Writes the steps as a shell script, which can be run more than once, too. */
export function renderScript(steps: readonly Step[]): string {
  const start =
    "#!/usr/bin/env bash\n# Made by ./store ci setup. May be run again.\nset -euo pipefail";
  return [start, ...steps.map(renderStep)].join("\n\n") + "\n";
}

function renderStep({ title, find, expect, variable = "FOUND", create }: Step): string {
  const filter = expect === undefined ? "" : ` | { grep -Fx ${quote(expect)} || true; }`;
  const look = `${variable}=$(${shell(find)}${filter})`;
  const make = create.map((command) => `  ${shell(command)}`);
  if (make.length === 0) return `# ${title}\n${look}`;
  const again = variable === "FOUND" ? [] : [`  ${look}`];
  return [`# ${title}`, look, `if [ -z "$${variable}" ]; then`, ...make, ...again, "fi"].join("\n");
}

function shell(command: CommandLine): string {
  return command.map(quote).join(" ");
}

/** Quotes an argument. Variables stay variables. */
function quote(text: string): string {
  if (/^[\w./:@=,-]+$/.test(text)) return text;
  if (!/["$\\`]/.test(text)) return text.includes("'") ? `"${text}"` : `'${text}'`;
  if (!text.includes("$")) return shellQuote(text);
  return `"${text.replace(/["\\`]/g, "\\$&")}"`;
}

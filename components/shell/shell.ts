import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Reads a script or configuration in which a comment starts with "#", from a file beside a component.
 *
 * Lines with nothing but a comment are left out, so that an edited comment changes no resource. So is white space at both ends.
 */
export function readWithoutComments(folder: string, file: string): string {
  return readFileSync(join(folder, file), "utf8")
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .trim();
}

/** Replaces the placeholders of a configuration: {{name}}. @throws Error for a placeholder without a value */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`Unknown placeholder ${placeholder}`);
    return value;
  });
}

/** Reads a script beside a component that may call the functions of machine.sh. */
export function readMachineScript(folder: string, file: string): string {
  return `${MACHINE}\n${readWithoutComments(folder, file)}`;
}

const MACHINE = readWithoutComments(__dirname, "machine.sh");

/** Returns the script with these positional parameters set, for a shell that reads it from standard input. */
export function withArguments(script: string, args: readonly string[]): string {
  return `set -- ${args.map(shellQuote).join(" ")}\n${script}\n`;
}

/** Returns the text as one word for sh, which takes everything between single quotes literally. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Returns a command that runs the script in sh, for a machine whose user may have another login shell. The quotation means the same in
 * the shells of the Bourne family and in fish, in which a backslash is special also between single quotes.
 */
export function inSh(script: string): string {
  return `sh -c '${script.replace(/['\\]/g, "'\\$&'")}'`;
}

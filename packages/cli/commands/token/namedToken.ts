import type { StackOptions } from "../../project/session";
import { parseTokenName } from "../../staff/staffTokens";
import type { CommandLine } from "../command";
import { parseStack, type StackFlags } from "../stackFlags";

/** Options of a command that works on one token of a stack. */
export interface NamedToken extends StackOptions {
  readonly name: string;
}

/** Parses `NAME [stack]`. @throws UsageError if the name is missing or can't be a token's name. */
export function parseNamedToken(
  { args: [name, stack], flags }: CommandLine<StackFlags>,
  command: "add" | "remove",
): NamedToken {
  return { ...parseStack(flags, stack), name: parseTokenName(name, command) };
}

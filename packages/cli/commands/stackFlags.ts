import { Argument, Option } from "commander";
import { UsageError } from "@store/docker/cliError";
import type { StackOptions } from "../project/session";
import { DEFAULT_STACK } from "../project/storeCommand";

/** Names the stack as a positional argument. */
export const STACK_ARGUMENT = new Argument("[stack]", `the stack (default: ${DEFAULT_STACK})`);

export const STACK_FLAG = new Option(
  "-s, --stack <stack>",
  `the stack (default: ${DEFAULT_STACK})`,
);

/** Flags of every command that works on one stack. */
export const STACK_FLAGS: readonly Option[] = [
  STACK_FLAG,
  new Option("--config-file <file>", "the stack's configuration, instead of Pulumi.STACK.yaml"),
];

/** Values of STACK_FLAGS; a command with STACK_FLAG alone has no `configFile`. */
export interface StackFlags {
  readonly stack?: string;
  readonly configFile?: string;
}

/**
 * Returns the stack of a command line.
 *
 * @param argument The positional argument, for commands that have one.
 * @throws UsageError if the argument and --stack name different stacks.
 */
export function parseStack({ stack, configFile }: StackFlags, argument?: string): StackOptions {
  if (argument !== undefined && stack !== undefined && argument !== stack) {
    throw new UsageError(
      `The argument names the stack ${argument}, but --stack names ${stack}.`,
      "Name the stack once.",
    );
  }
  return { stack: argument ?? stack ?? DEFAULT_STACK, configFile };
}

import { CliError, ExitCode } from "@store/docker/cliError";
import { openSession, StackOptions } from "../../project/session";
import { FIRST_TOKEN } from "../../../../components/staffTokens";
import { tokenNames } from "../../staff/staffTokens";
import { stackOutputs } from "../../state/outputs";
import { colors } from "../../terminal/terminal";
import { type CommandGroup, defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

const print = defineCommand<StackFlags, StackOptions>({
  name: "token",
  summary: "print the staff token that the stack has created, which is a secret",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: [
    "./store token",
    'curl -H "Authorization: Bearer $(./store token)" http://localhost:8080/api/inventory/stock',
  ],
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

/* eslint-disable @typescript-eslint/no-require-imports */
export const token: CommandGroup = {
  name: "token",
  summary: "print the staff token; add, list and remove further ones",
  examples: [
    ...print.examples,
    "./store token add ana          a token for one person",
    "./store token remove staff     the token that everybody shares",
  ],
  main: print,
  subcommands: {
    add: () => (require("./add") as typeof import("./add")).add,
    list: () => (require("./list") as typeof import("./list")).list,
    remove: () => (require("./remove") as typeof import("./remove")).remove,
  },
};
/* eslint-enable @typescript-eslint/no-require-imports */

/** Prints the token alone to stdout, and how to use it to stderr if a person reads it. */
async function run(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const stack = session.stack.name;
  const outputs = await stackOutputs(session);
  if (outputs.token === undefined) {
    if (outputs.url !== undefined && !tokenNames(session).includes(FIRST_TOKEN))
      throw removed(stack);
    if (outputs.url !== undefined) throw replaced(stack);
    throw new CliError(`Stack ${stack} has no token: it isn't up.`, {
      hint: `Bring it up: ${storeCommand("up", stack)}`,
    });
  }
  process.stdout.write(`${outputs.token}\n`);
  if (process.stdout.isTTY) process.stderr.write(`\n${colors.dim(usageHint(stack))}\n`);
  return ExitCode.Ok;
}

function removed(stack: string): CliError {
  return new CliError(`The token that stack ${stack} had created was removed.`, {
    hint: `Everybody has a token of their own: ${storeCommand("token list", stack)} and ${storeCommand("token add NAME", stack)}`,
  });
}

function replaced(stack: string): CliError {
  return new CliError(
    `The token that stack ${stack} had created was replaced, and the new one isn't stored.`,
    {
      hint: `Add another one: ${storeCommand("token add NAME", stack)}`,
    },
  );
}

function usageHint(stack: string): string {
  return `The token gives access to the staff API and the back office:
  curl -H "Authorization: Bearer $(${storeCommand("token", stack)})" http://…/api/inventory/stock`;
}

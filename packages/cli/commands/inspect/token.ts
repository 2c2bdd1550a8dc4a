import { CliError, ExitCode } from "@store/docker/cliError";
import { openSession, StackOptions } from "../../project/session";
import { stackOutputs } from "../../state/outputs";
import { colors } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

export const token = defineCommand<StackFlags, StackOptions>({
  name: "token",
  summary: "print the staff token, which is a secret",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: [
    "./store token",
    'curl -H "Authorization: Bearer $(./store token)" http://localhost:8080/api/inventory/stock',
  ],
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

/** Prints the token alone to stdout, and how to use it to stderr if a person reads it. */
async function run(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const stack = session.stack.name;
  const outputs = await stackOutputs(session);
  if (outputs.token === undefined) {
    throw new CliError(`Stack ${stack} has no token: it isn't up.`, {
      hint: `Bring it up: ${storeCommand("up", stack)}`,
    });
  }
  process.stdout.write(`${outputs.token}\n`);
  if (process.stdout.isTTY) process.stderr.write(`\n${colors.dim(usageHint(stack))}\n`);
  return ExitCode.Ok;
}

function usageHint(stack: string): string {
  return `The token gives access to the staff API and the back office:
  curl -H "Authorization: Bearer $(${storeCommand("token", stack)})" http://…/api/inventory/stock`;
}

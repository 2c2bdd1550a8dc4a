import { CliError, ExitCode } from "@store/docker/cliError";
import { stackOutputs } from "../../state/outputs";
import { storeCommand } from "../../project/project";
import { openSession, StackOptions } from "../../project/session";
import { colors } from "../../terminal/terminal";

/** Prints the token of the store's own people, and nothing else where that is read by a program. */
export async function token(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const stack = session.stack.name;
  const outputs = await stackOutputs(session);
  if (outputs.token === undefined) throw notUp(stack);
  process.stdout.write(`${outputs.token}\n`);
  if (process.stdout.isTTY) process.stderr.write(`\n${colors.dim(hint(stack))}\n`);
  return ExitCode.Ok;
}

function notUp(stack: string): CliError {
  return new CliError(`The stack ${stack} has no token: it isn't up.`, {
    hint: `Bring it up: ${storeCommand("up", stack)}`,
  });
}

function hint(stack: string): string {
  return `It opens what is for the store's own people, the back office among it:
  curl -H "Authorization: Bearer $(${storeCommand("token", stack)})" http://…/api/inventory/stock`;
}

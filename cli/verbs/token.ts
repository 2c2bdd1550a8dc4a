import { ensureEngine } from "../../toolchain/engine";
import { ExitCode, Failure } from "../failure";
import { storeCommand } from "../project";
import { openSession, StackOptions } from "../session";
import { askOnStack, engineEnvironment } from "../setup";
import { checkpointOf } from "../state";
import { colors, reporter } from "../terminal";

/** Prints the token of the store's own people, and nothing else where that is read by a program. */
export async function token(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { state, stack } = session;
  const known = state.backend.kind === "own" || checkpointOf(state, stack.name) !== undefined;
  if (!known) throw notUp(stack.name);

  const engine = await ensureEngine(reporter());
  const { exitCode, stdout, stderr } = await askOnStack(
    session,
    { engine, env: engineEnvironment(session, engine) },
    ["stack", "output", "token", "--show-secrets", "--non-interactive", "--color", "never"],
  );
  if (/does not have output property|no stack named/.test(stderr)) throw notUp(stack.name);
  if (exitCode !== 0) {
    throw new Failure(`The token of the stack ${stack.name} can't be read.`, {
      evidence: stderr.trim().split("\n"),
      evidenceOf: "pulumi stack output",
      remedy: "./store doctor says which backend is in use.",
    });
  }
  process.stdout.write(`${stdout.trim()}\n`);
  if (process.stdout.isTTY) process.stderr.write(`\n${colors.dim(hint(stack.name))}\n`);
  return ExitCode.Ok;
}

function notUp(stack: string): Failure {
  return new Failure(`The stack ${stack} has no token: it isn't up.`, {
    remedy: `Bring it up: ${storeCommand("up", stack)}`,
  });
}

function hint(stack: string): string {
  return `It opens what is for the store's own people, the back office among it:
  curl -H "Authorization: Bearer $(${storeCommand("token", stack)})" http://…/api/inventory/stock`;
}

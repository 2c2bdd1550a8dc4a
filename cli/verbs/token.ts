import { resourceName } from "../checkpoint";
import { ensureEngine } from "../../toolchain/engine";
import { ExitCode, Failure } from "../failure";
import { storeCommand } from "../project";
import { openSession, StackOptions } from "../session";
import { askOnStack, engineEnvironment, recordOf } from "../setup";
import { colors, reporter } from "../terminal";

/** Prints the token of the store's own people, and nothing else where that is read by a program. */
export async function token(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const stack = session.stack.name;
  const engine = await ensureEngine(reporter());
  const ready = { engine, env: engineEnvironment(session, engine) };
  // The engine keeps the outputs of a stack that was taken down.
  const record = await recordOf(session, ready);
  if (!record?.resources.some(({ urn }) => resourceName(urn) === STAFF_TOKEN)) throw notUp(stack);

  const { exitCode, stdout, stderr } = await askOnStack(session, ready, [
    ...["stack", "output", "token", "--show-secrets", "--non-interactive", "--color", "never"],
  ]);
  if (/does not have output property/.test(stderr)) throw notUp(stack);
  if (exitCode !== 0) {
    throw new Failure(`The token of the stack ${stack} can't be read.`, {
      evidence: stderr.trim().split("\n"),
      evidenceOf: "pulumi stack output",
      remedy: "./store doctor says which backend is in use.",
    });
  }
  process.stdout.write(`${stdout.trim()}\n`);
  if (process.stdout.isTTY) process.stderr.write(`\n${colors.dim(hint(stack))}\n`);
  return ExitCode.Ok;
}

/** Name of the resource, as components/store.ts has it. */
const STAFF_TOKEN = "staff-token";

function notUp(stack: string): Failure {
  return new Failure(`The stack ${stack} has no token: it isn't up.`, {
    remedy: `Bring it up: ${storeCommand("up", stack)}`,
  });
}

function hint(stack: string): string {
  return `It opens what is for the store's own people, the back office among it:
  curl -H "Authorization: Bearer $(${storeCommand("token", stack)})" http://…/api/inventory/stock`;
}

import { Argument } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { hashOfToken } from "../../../../components/staffTokens";
import { openSession } from "../../project/session";
import { changeTokens } from "../../staff/changeTokens";
import { newToken, refuseExisting } from "../../staff/staffTokens";
import { colors, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { STACK_ARGUMENT, STACK_FLAGS, type StackFlags } from "../stackFlags";
import { appliedHint } from "./appliedHint";
import { type NamedToken, parseNamedToken } from "./namedToken";

export const add = defineCommand<StackFlags, NamedToken>({
  name: "add",
  summary: "create a staff token for a person or a program, and print it once",
  usage: "NAME [stack] [options]",
  arguments: [
    new Argument("[name]", "whose token it is, as shown in histories and logs"),
    STACK_ARGUMENT,
  ],
  flags: STACK_FLAGS,
  examples: ["./store token add ana", "./store token add stock-import -s staging"],
  notes: `The token is stored nowhere: Pulumi.STACK.yaml and the services have its SHA-256 only.
A running store accepts the token at once, without a restart.`,
  parse: (input) => parseNamedToken(input, "add"),
  run,
});

/** Prints the token alone to stdout. */
async function run({ name, ...options }: NamedToken): Promise<ExitCode> {
  const session = openSession(options);
  const token = newToken();
  const isApplied = await changeTokens(
    session,
    { command: "add", name, value: hashOfToken(token), check: () => refuseExisting(session, name) },
    reporter(),
  );
  process.stderr.write(
    `The token of ${name}, which can't be shown again (log in to /office with it, or send it as Authorization: Bearer):\n`,
  );
  process.stdout.write(`${token}\n`);
  process.stderr.write(`${colors.dim(appliedHint(session, isApplied))}\n`);
  return ExitCode.Ok;
}

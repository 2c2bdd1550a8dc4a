import { Argument } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { openSession } from "../../project/session";
import { changeTokens } from "../../staff/changeTokens";
import { refuseRemoval, removedValue } from "../../staff/staffTokens";
import { colors, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { STACK_ARGUMENT, STACK_FLAGS, type StackFlags } from "../stackFlags";
import { appliedHint } from "./appliedHint";
import { type NamedToken, parseNamedToken } from "./namedToken";

export const remove = defineCommand<StackFlags, NamedToken>({
  name: "remove",
  summary: "remove a staff token and end the sessions that were started with it",
  usage: "NAME [stack] [options]",
  arguments: [
    new Argument("[name]", "the token's name, as `./store token list` prints it"),
    STACK_ARGUMENT,
  ],
  flags: STACK_FLAGS,
  examples: ["./store token remove ana", "./store token remove staff -s staging"],
  notes: "A running store refuses the token at once, without a restart.",
  parse: (input) => parseNamedToken(input, "remove"),
  run,
});

async function run({ name, ...options }: NamedToken): Promise<ExitCode> {
  const session = openSession(options);
  const isApplied = await changeTokens(
    session,
    {
      command: "remove",
      name,
      value: removedValue(name),
      check: () => refuseRemoval(session, name),
    },
    reporter(),
  );
  process.stderr.write(`Removed the token of ${name}.\n`);
  process.stderr.write(`${colors.dim(appliedHint(session, isApplied))}\n`);
  return ExitCode.Ok;
}

import { CliError, ExitCode } from "@store/docker/cliError";
import { missingVariables } from "../../ci/oidc";
import { isAzure, openSession, StackOptions } from "../../project/session";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

export const check = defineCommand<StackFlags, StackOptions>({
  name: "check",
  summary: "check that a job has what it needs to log in to Azure and to find the state",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store ci check staging"],
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

function run(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const missing = missingVariables(isAzure(session), process.env);
  if (missing.length === 0) return Promise.resolve(ExitCode.Ok);
  throw new CliError(
    `The workflow can't use the stack ${session.stack.name}: it isn't set up completely.`,
    {
      details: missing,
      hint: "Repository variables are set by ./store ci setup --apply, once. The rest is in the job's YAML (docs/team-workflow.md).",
    },
  );
}

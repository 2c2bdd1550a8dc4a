import { relative } from "node:path";
import { Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { addJobSummary } from "../../ci/jobSummary";
import { takeDown } from "../../ci/takeDown";
import { configValue, readProject } from "../../project/project";
import { findOwnStack } from "../../project/session";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAG, StackFlags } from "../stackFlags";

interface TeardownFlags extends StackFlags {
  readonly confirm?: string;
  readonly nightly?: boolean;
  readonly volumes?: boolean;
}

interface TeardownOptions {
  readonly stack: string;
  /** Answer to the question of `./store down`: the stack's name. */
  readonly confirm?: string;
  readonly nightly: boolean;
  readonly volumes: boolean;
}

export const teardown = defineCommand<TeardownFlags, TeardownOptions>({
  name: "teardown",
  summary: "take a stack down by hand or every night, unless store:keep is set",
  arguments: [STACK_ARGUMENT],
  flags: [
    STACK_FLAG,
    new Option("--confirm <stack>", "the stack's name, as the answer to the question of `down`"),
    new Option("--nightly", "ask nothing, and skip a stack with store:keep"),
    new Option("--volumes", "delete the data, too"),
  ],
  examples: [
    "./store ci teardown staging --confirm staging",
    "./store ci teardown staging --nightly",
  ],
  notes: "The job's summary says what stays, and what that costs.",
  parse: ({ args: [argument], flags }) => ({
    stack: parseStack(flags, argument).stack,
    confirm: flags.confirm,
    nightly: flags.nightly === true,
    volumes: flags.volumes === true,
  }),
  run,
});

async function run({ stack, confirm, nightly, volumes }: TeardownOptions): Promise<ExitCode> {
  if (nightly && volumes) {
    throw new UsageError("--nightly never deletes data.", "Leave out --volumes.");
  }
  if (!nightly && confirm !== stack) {
    throw new UsageError(
      `Refusing to destroy stack ${stack}: the answer is "${confirm ?? ""}", not the stack's name.`,
      `Type ${stack} into the field \`confirm\` of the workflow Teardown (--confirm ${stack}).`,
    );
  }
  const project = readProject();
  const { file } = findOwnStack(project, { stack });
  if (nightly && configValue(project, { file }, "keep") === true) {
    const text = `Stack ${stack} stays up: store:keep is true in ${relative(project.root, file)}.`;
    addJobSummary(text);
    reporter().note(text);
    return ExitCode.Ok;
  }
  await takeDown(stack, volumes ? ["--volumes"] : []);
  return ExitCode.Ok;
}

import { Argument, Option } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import {
  environmentStack,
  expiryReason,
  listEnvironments,
  removeEnvironment,
  writeEnvironmentConfig,
} from "../../ci/environments";
import { GitHub } from "../../ci/github/github";
import { setOutput } from "../../ci/jobSummary";
import { runStore } from "../../ci/runStore";
import { readWorkflowRun } from "../../ci/workflowRun";
import { reporter } from "../../terminal/terminal";
import { defineCommand, wholeNumber } from "../command";

type Task = "up" | "down" | "expire";

interface EnvironmentOptions {
  readonly task: Task;
  /** Stack whose configuration the environments have. */
  readonly from: string;
  readonly days: number;
}

export const environment = defineCommand<
  { readonly from?: string; readonly days?: number },
  EnvironmentOptions
>({
  name: "environment",
  summary: "bring up or remove the environment of a pull request, or remove expired ones",
  arguments: [new Argument("<task>", "what to do").choices(["up", "down", "expire"])],
  flags: [
    new Option("--from <stack>", "stack whose configuration it gets (default: staging)"),
    new Option("--days <days>", "expire: days since the last `up` (default: 7)").argParser(
      wholeNumber,
    ),
  ],
  examples: [
    "./store ci environment up             the stack pr-NUMBER of the event's pull request",
    "./store ci environment expire --days 3",
  ],
  notes: "`expire` also removes the environments of pull requests that are closed.",
  parse: ({ args: [task], flags }) => ({
    task: task as Task,
    from: flags.from ?? "staging",
    days: flags.days ?? 7,
  }),
  run,
});

async function run({ task, from, days }: EnvironmentOptions): Promise<ExitCode> {
  if (task === "expire") return expire(from, days);
  const { payload } = readWorkflowRun();
  if (payload.pull_request === undefined) {
    throw new CliError("The event has no pull request.", {
      hint: "Run the command in a workflow on `pull_request`.",
    });
  }
  const stack = environmentStack(payload.pull_request.number);
  if (task === "down") {
    await removeEnvironment(stack, from);
    return ExitCode.Ok;
  }
  writeEnvironmentConfig(stack, from);
  const { code } = await runStore(["up", stack, "--yes"], {
    onLine: (line) => void process.stderr.write(`${line}\n`),
  });
  if (code !== 0) {
    throw new CliError(`The environment ${stack} is not up (exit code ${code ?? "none"}).`, {
      hint: "The message above says why.",
    });
  }
  const { stdout } = await runStore(["url", stack]);
  setOutput("url", stdout.trim());
  return ExitCode.Ok;
}

async function expire(from: string, days: number): Promise<ExitCode> {
  const report = reporter();
  const github = await GitHub.connect(readWorkflowRun());
  const problems: string[] = [];
  for (const found of await listEnvironments()) {
    const reason = await expiryReason(github, found, days);
    if (reason === undefined) continue;
    report.step(`Removing ${found.stack}: ${reason}`);
    try {
      await removeEnvironment(found.stack, from);
    } catch (error) {
      // The others cost money, too.
      if (!(error instanceof CliError)) throw error;
      problems.push(error.summary);
    }
  }
  if (problems.length === 0) return ExitCode.Ok;
  throw new CliError("Not every expired environment is removed.", {
    details: problems,
    hint: "The messages above say why. What is left may cost money: fix the cause, then run the job again.",
  });
}

import { Argument, Option } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import { listComments } from "../../ci/github/comment";
import { compareReviews } from "../../ci/compareReviews";
import { GitHub } from "../../ci/github/github";
import { addJobSummary } from "../../ci/jobSummary";
import { findMergedPullRequest } from "../../ci/github/pullRequest";
import { readSummary } from "../../ci/readSummary";
import { readWorkflowRun } from "../../ci/workflowRun";
import { defineCommand } from "../command";

interface ReviewedOptions {
  readonly file: string;
  readonly allowUnreviewed: boolean;
}

export const reviewed = defineCommand<{ readonly allowUnreviewed?: boolean }, ReviewedOptions>({
  name: "reviewed",
  summary: "say whether a deploy does what the review of its pull request said",
  arguments: [new Argument("<summary>", "output of `./store ci preview`, made before the deploy")],
  flags: [new Option("--allow-unreviewed", "accept a danger that nobody has reviewed")],
  examples: ["./store ci reviewed summary.json"],
  notes:
    "Exit code 1 if the preview was refused, or has a danger (data at risk, an open port, a replaced VM) and differs from the review.\n" +
    "Needs GITHUB_TOKEN with the rights issues and pull-requests: read.",
  parse: ({ args: [file = ""], flags }) => ({
    file,
    allowUnreviewed: flags.allowUnreviewed === true,
  }),
  run,
});

async function run({ file, allowUnreviewed }: ReviewedOptions): Promise<ExitCode> {
  const summary = readSummary(file);
  const workflowRun = readWorkflowRun();
  const github = await GitHub.connect(workflowRun);
  const pullRequest = await findMergedPullRequest(github, workflowRun.sha);
  const comments = pullRequest
    ? await listComments(github, pullRequest.number, summary.stack, await github.ownId())
    : [];
  const { asReviewed, text } = compareReviews(summary, pullRequest?.number, comments[0]);
  addJobSummary(text);
  process.stdout.write(`${text}\n`);
  if (summary.exitCode === 1) {
    addJobSummary(summary.full);
    throw new CliError(`Not deploying: ${summary.title}`, {
      hint: "The job's summary has the preview.",
    });
  }
  if (summary.exitCode === 0 || asReviewed || allowUnreviewed) return ExitCode.Ok;
  throw new CliError(`Not deploying what nobody has reviewed: ${summary.title}`, {
    hint: "Look at the preview in the job's summary. To accept it, run the workflow Deploy by hand with `unreviewed`.",
  });
}

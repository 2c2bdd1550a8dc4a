import { Argument } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { publishComment } from "../../ci/github/comment";
import { GitHub } from "../../ci/github/github";
import { addJobSummary } from "../../ci/jobSummary";
import { publishReview } from "../../ci/publish";
import { findPullRequest } from "../../ci/github/pullRequest";
import { readForkSummary, readSummary } from "../../ci/readSummary";
import { readWorkflowRun, type WorkflowRun } from "../../ci/workflowRun";
import { summarize } from "../../review/summarize";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";

interface PublishOptions {
  readonly file: string;
}

export const publish = defineCommand<object, PublishOptions>({
  name: "publish",
  summary: "publish a preview on its pull request: comment, label, commit status, job summary",
  arguments: [new Argument("<summary>", "output of `./store ci preview`")],
  examples: ["./store ci publish summary.json"],
  notes:
    "Needs GITHUB_TOKEN with the rights issues, pull-requests and statuses: write. Exit code 1 also if the published preview was\n" +
    "refused or violates a policy. A fork's summary (event workflow_run) gets a comment, but no label and no status.",
  parse: ({ args: [file = ""] }) => ({ file }),
  run,
});

async function run({ file }: PublishOptions): Promise<ExitCode> {
  const workflowRun = readWorkflowRun();
  return workflowRun.event === "workflow_run"
    ? publishFork(file, workflowRun)
    : publishOwn(file, workflowRun);
}

async function publishOwn(file: string, workflowRun: WorkflowRun): Promise<ExitCode> {
  const summary = readSummary(file);
  addJobSummary(summary.full);
  const github = await GitHub.connect(workflowRun);
  const pullRequest = await findPullRequest(github, workflowRun);
  if (pullRequest === undefined) return nothingToPublish(workflowRun);
  const result = await publishReview(github, pullRequest, summary, workflowRun.url);
  reporter().note(`pull request ${pullRequest.number}: ${RESULTS[result]} (${summary.title})`);
  return summary.exitCode === 1 ? ExitCode.Failed : ExitCode.Ok;
}

/** Publishes a comment only: a status or a label from a fork's file would let its author pass a rule of the branch. */
async function publishFork(file: string, workflowRun: WorkflowRun): Promise<ExitCode> {
  const summary = readForkSummary(file, summarize);
  const github = await GitHub.connect(workflowRun);
  const pullRequest = await findPullRequest(github, workflowRun);
  if (pullRequest === undefined) return nothingToPublish(workflowRun);
  const result = await publishComment(github, pullRequest.number, summary);
  reporter().note(`pull request ${pullRequest.number} of a fork: ${RESULTS[result]}`);
  return ExitCode.Ok;
}

const RESULTS: Readonly<Record<Awaited<ReturnType<typeof publishComment>>, string>> = {
  none: "nothing changes, no comment",
  created: "comment created",
  updated: "comment updated",
  unchanged: "comment is up to date",
};

function nothingToPublish({ payload }: WorkflowRun): ExitCode {
  const sha = payload.workflow_run?.head_sha.slice(0, 7) ?? "";
  reporter().note(
    `no open pull request ends with commit ${sha}: it was closed or pushed to meanwhile. Nothing is published`,
  );
  return ExitCode.Ok;
}

import { CliError } from "@store/docker/cliError";
import type { GitHub } from "./github";
import type { WorkflowRun } from "../workflowRun";

/** The pull request that a run belongs to. */
export interface PullRequest {
  readonly number: number;
  /** Commit at the end of its branch, which statuses belong to. */
  readonly headSha: string;
  /** Account that opened it. Undefined if the account is deleted. */
  readonly author?: number;
}

/**
 * Finds the pull request of a run: in the event's payload, or for `workflow_run` by the head commit of the run that started this
 * one. A file made by that run is never asked: its author controls it.
 *
 * @returns undefined if no open pull request has that head commit (closed, or pushed to meanwhile).
 * @throws CliError if the event has nothing to do with a pull request.
 */
export async function findPullRequest(
  github: GitHub,
  { payload, event }: WorkflowRun,
): Promise<PullRequest | undefined> {
  const { pull_request: own, workflow_run: origin } = payload;
  if (own) return { number: own.number, headSha: own.head.sha, author: own.user?.id };
  if (!origin) {
    throw new CliError(`The event ${event} has no pull request.`, {
      hint: "Run the command in a workflow on `pull_request` or `workflow_run`.",
    });
  }
  const owner = origin.head_repository?.owner.login;
  // The branch or its repository is deleted.
  if (!owner || !origin.head_branch) return undefined;
  const open = await github.try("list the pull requests", () =>
    github.octokit.paginate("GET /repos/{owner}/{repo}/pulls", {
      ...github.repository,
      state: "open",
      head: `${owner}:${origin.head_branch ?? ""}`,
      per_page: 100,
    }),
  );
  const found = open.find(({ head }) => head.sha === origin.head_sha);
  return found && toPullRequest(found);
}

/** Finds the merged pull request that brought a commit to the branch; undefined for a direct push. @throws CliError */
export async function findMergedPullRequest(
  github: GitHub,
  sha: string,
): Promise<PullRequest | undefined> {
  const all = await github.try(`find the pull request of commit ${sha}`, () =>
    github.octokit.paginate("GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls", {
      ...github.repository,
      commit_sha: sha,
      per_page: 100,
    }),
  );
  const found = all.find(({ merged_at }) => merged_at != null);
  return found && toPullRequest(found);
}

function toPullRequest(found: {
  readonly number: number;
  readonly head: { readonly sha: string };
  readonly user?: { readonly id: number | bigint } | null;
}): PullRequest {
  const author = found.user ? Number(found.user.id) : undefined;
  return { number: found.number, headSha: found.head.sha, author };
}

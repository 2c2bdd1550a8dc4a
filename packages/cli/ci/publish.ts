import type { Summary } from "../review/summary";
import { acceptedBy, withdrawAcceptance } from "./github/acceptance";
import { publishComment, type CommentResult } from "./github/comment";
import type { GitHub } from "./github/github";
import { publishLabel } from "./github/labels";
import type { PullRequest } from "./github/pullRequest";
import { publishStatus } from "./github/status";

/**
 * Publishes a review on a pull request: comment, label, commit status. A run that was interrupted can be repeated.
 *
 * @param url Page of the run, for the status.
 * @throws CliError
 */
export async function publishReview(
  github: GitHub,
  pullRequest: PullRequest,
  summary: Summary,
  url: string | undefined,
): Promise<CommentResult> {
  const result = await publishComment(github, pullRequest.number, summary);
  await publishLabel(github, pullRequest.number, summary);
  if (result !== "unchanged") await withdrawAcceptance(github, pullRequest, summary.stack);
  const accepted =
    summary.exitCode === 3 ? await acceptedBy(github, pullRequest, summary.stack) : undefined;
  await publishStatus(github, pullRequest.headSha, summary, { acceptedBy: accepted, url });
  return result;
}

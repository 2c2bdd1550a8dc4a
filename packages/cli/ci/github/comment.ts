import { readMarker, type Summary } from "../../review/summary";
import type { GitHub } from "./github";
import { ONCE } from "./github";
import { apiFailure, isUnknownOutcome } from "./githubError";

export type CommentResult = "none" | "created" | "updated" | "unchanged";

interface Comment {
  readonly id: number;
  readonly body: string;
  readonly hash: string;
}

/**
 * Keeps one comment per stack on a pull request. Edits it only if the summary's hash differs. Creates none if nothing changes.
 * Comments of other accounts are never touched, whatever they contain.
 *
 * Two runs at the same time may both create a comment: afterwards each run lists the comments and deletes all but the oldest.
 *
 * @throws CliError
 */
export async function publishComment(
  github: GitHub,
  pullRequest: number,
  summary: Pick<Summary, "stack" | "hash" | "markdown" | "changed">,
): Promise<CommentResult> {
  const author = await github.ownId();
  const list = (): Promise<Comment[]> => listComments(github, pullRequest, summary.stack, author);
  const [first, ...duplicates] = await list();
  await removeAll(github, duplicates);
  if (first !== undefined) {
    if (first.hash === summary.hash) return "unchanged";
    if (await edit(github, first, summary.markdown)) return "updated";
    // Deleted meanwhile.
  }
  if (!summary.changed) return "none";
  await create(github, pullRequest, summary.markdown, list);
  const [oldest, ...others] = await list();
  await removeAll(github, others);
  if (oldest !== undefined && oldest.hash !== summary.hash) {
    await edit(github, oldest, summary.markdown);
  }
  return "created";
}

/** Returns this program's comments on a stack, the oldest first. */
export async function listComments(
  github: GitHub,
  pullRequest: number,
  stack: string,
  author: number,
): Promise<Comment[]> {
  const comments = await github.try(`read the comments of pull request ${pullRequest}`, () =>
    github.octokit.paginate("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...github.repository,
      issue_number: pullRequest,
      per_page: 100,
    }),
  );
  return comments
    .flatMap(({ id, body = "", user }) => {
      const marker = user?.id === author ? readMarker(body) : undefined;
      return marker?.stack === stack ? [{ id: Number(id), body, hash: marker.hash }] : [];
    })
    .sort((a, b) => a.id - b.id);
}

/** Creates a comment. If the outcome is unknown, looks for the comment before a second attempt. */
async function create(
  github: GitHub,
  pullRequest: number,
  body: string,
  list: () => Promise<Comment[]>,
): Promise<void> {
  const post = (): Promise<unknown> =>
    github.octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
      ...github.repository,
      issue_number: pullRequest,
      body,
      ...ONCE,
    });
  await github.try(`comment on pull request ${pullRequest}`, async () => {
    try {
      await post();
    } catch (error) {
      if (!isUnknownOutcome(error)) throw error;
      if ((await list()).length === 0) await post();
    }
  });
}

/** Edits a comment. Returns false if it no longer exists. */
async function edit(github: GitHub, { id }: Comment, body: string): Promise<boolean> {
  return github.try(`edit comment ${id}`, async () => {
    try {
      await github.octokit.request("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", {
        ...github.repository,
        comment_id: id,
        body,
      });
      return true;
    } catch (error) {
      if (apiFailure(error)?.status === 404) return false;
      throw error;
    }
  });
}

async function removeAll(github: GitHub, comments: readonly Comment[]): Promise<void> {
  for (const { id } of comments) {
    await github.try(`delete comment ${id}, a duplicate`, async () => {
      try {
        await github.octokit.request("DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", {
          ...github.repository,
          comment_id: id,
        });
      } catch (error) {
        // The other run has deleted it.
        if (apiFailure(error)?.status !== 404) throw error;
      }
    });
  }
}

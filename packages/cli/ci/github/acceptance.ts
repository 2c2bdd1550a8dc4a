import type { GitHub } from "./github";
import { readLabels, removeLabel } from "./labels";
import type { PullRequest } from "./pullRequest";

/** Returns the label by which a second person accepts a stack's dangers. GitHub takes 50 characters. */
export function acceptanceLabel(stack: string): string {
  return `${stack.slice(0, 40)}: accepted`;
}

/**
 * Finds the account that accepted the dangers of a stack by the label. The author of the pull request can't accept them.
 *
 * @returns the account's name; undefined if nobody has.
 * @throws CliError
 */
export async function acceptedBy(
  github: GitHub,
  { number, author }: PullRequest,
  stack: string,
): Promise<string | undefined> {
  const label = acceptanceLabel(stack);
  if (!(await readLabels(github, number)).has(label)) return undefined;
  const events = await github.try(`read the events of pull request ${number}`, () =>
    github.octokit.paginate("GET /repos/{owner}/{repo}/issues/{issue_number}/events", {
      ...github.repository,
      issue_number: number,
      per_page: 100,
    }),
  );
  const last = events.findLast(
    (event) => event.event === "labeled" && "label" in event && event.label.name === label,
  );
  const actor = last?.actor;
  return actor && Number(actor.id) !== author ? actor.login : undefined;
}

/** Removes the label: it was given to a review that has changed since. @throws CliError */
export async function withdrawAcceptance(
  github: GitHub,
  { number }: PullRequest,
  stack: string,
): Promise<void> {
  const label = acceptanceLabel(stack);
  if ((await readLabels(github, number)).has(label)) await removeLabel(github, number, label);
}

import { labelsOf, type Summary } from "../../review/summary";
import type { GitHub } from "./github";
import { apiFailure } from "./githubError";

/**
 * Sets the label of a stack's verdict if the verdict needs attention, and removes the stack's other verdicts. GitHub creates
 * a label that the repository doesn't have yet.
 *
 * @throws CliError
 */
export async function publishLabel(
  github: GitHub,
  pullRequest: number,
  { stack, label, exitCode }: Pick<Summary, "stack" | "label" | "exitCode">,
): Promise<void> {
  const wanted = exitCode === 0 ? undefined : label;
  const present = await readLabels(github, pullRequest);
  const stale = labelsOf(stack).filter((name) => name !== wanted && present.has(name));
  for (const name of stale) await removeLabel(github, pullRequest, name);
  if (wanted === undefined || present.has(wanted)) return;
  await github.try(`label pull request ${pullRequest}`, () =>
    github.octokit.request("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
      ...github.repository,
      issue_number: pullRequest,
      labels: [wanted],
    }),
  );
}

export async function readLabels(github: GitHub, pullRequest: number): Promise<Set<string>> {
  const labels = await github.try(`read the labels of pull request ${pullRequest}`, () =>
    github.octokit.paginate("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", {
      ...github.repository,
      issue_number: pullRequest,
      per_page: 100,
    }),
  );
  return new Set(labels.map(({ name }) => name));
}

export async function removeLabel(
  github: GitHub,
  pullRequest: number,
  name: string,
): Promise<void> {
  await github.try(`remove the label "${name}"`, async () => {
    try {
      await github.octokit.request(
        "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
        { ...github.repository, issue_number: pullRequest, name },
      );
    } catch (error) {
      // Somebody else has removed it.
      if (apiFailure(error)?.status !== 404) throw error;
    }
  });
}

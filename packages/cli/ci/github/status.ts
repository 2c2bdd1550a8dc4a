import type { Summary } from "../../review/summary";
import { acceptanceLabel } from "./acceptance";
import type { GitHub } from "./github";

/** GitHub's limit of a description. */
const LIMIT = 140;

/**
 * Sets the status of a commit. A rule of the branch can require it by its context. A danger fails it until a second person accepts
 * the danger.
 *
 * @param acceptedBy Account that accepted the dangers of the review. @default nobody
 * @throws CliError
 */
export async function publishStatus(
  github: GitHub,
  sha: string,
  summary: Pick<Summary, "status" | "exitCode" | "stack">,
  options: { readonly acceptedBy?: string; readonly url?: string } = {},
): Promise<void> {
  const { state, description } = judge(summary, options.acceptedBy);
  await github.try(`set the status of commit ${sha.slice(0, 7)}`, () =>
    github.octokit.request("POST /repos/{owner}/{repo}/statuses/{sha}", {
      ...github.repository,
      sha,
      context: summary.status.context,
      state,
      description: description.slice(0, LIMIT),
      ...(options.url !== undefined && { target_url: options.url }),
    }),
  );
}

function judge(
  { status, exitCode, stack }: Pick<Summary, "status" | "exitCode" | "stack">,
  acceptedBy: string | undefined,
): { readonly state: "success" | "failure"; readonly description: string } {
  if (exitCode !== 3) return status;
  if (acceptedBy !== undefined) {
    return { state: "success", description: `Accepted by ${acceptedBy}: ${status.description}` };
  }
  const remedy = ` · to accept: label "${acceptanceLabel(stack)}"`;
  return {
    state: "failure",
    description: `${status.description.slice(0, LIMIT - remedy.length)}${remedy}`,
  };
}

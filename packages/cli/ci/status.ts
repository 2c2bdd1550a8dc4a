import type { Summary } from "../review/summary";
import type { GitHub } from "./github";

/**
 * Sets the status of a commit. A rule of the branch can require it by its context.
 *
 * @param acceptedBy Account that accepted the dangers of the review. @default nobody
 * @throws CliError
 */
export async function publishStatus(
  github: GitHub,
  sha: string,
  { status, exitCode }: Pick<Summary, "status" | "exitCode">,
  options: { readonly acceptedBy?: string; readonly url?: string } = {},
): Promise<void> {
  const accepted = exitCode === 3 && options.acceptedBy !== undefined;
  await github.try(`set the status of commit ${sha.slice(0, 7)}`, () =>
    github.octokit.request("POST /repos/{owner}/{repo}/statuses/{sha}", {
      ...github.repository,
      sha,
      context: status.context,
      state: accepted ? "success" : status.state,
      description: accepted
        ? `Accepted by ${options.acceptedBy ?? ""}: ${status.description}`.slice(0, 140)
        : status.description,
      ...(options.url !== undefined && { target_url: options.url }),
    }),
  );
}

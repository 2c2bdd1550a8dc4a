import type { Summary } from "../review/summary";

/** Comparison of a deploy with the review of its pull request. */
export interface ReviewComparison {
  /** The deploy does exactly what the review said, or does nothing. */
  readonly asReviewed: boolean;
  /** Markdown for the job's summary. */
  readonly text: string;
}

/**
 * Compares a preview made before a deploy with the comment on the merged pull request.
 *
 * @param pullRequest Number of the merged pull request. Undefined for a direct push.
 * @param reviewed The comment. Undefined if there is none.
 */
export function compareReviews(
  summary: Pick<Summary, "hash" | "markdown" | "changed" | "title" | "stack">,
  pullRequest: number | undefined,
  reviewed: { readonly hash: string; readonly body: string } | undefined,
): ReviewComparison {
  const { stack } = summary;
  if (!summary.changed) {
    return { asReviewed: true, text: `\`${stack}\`: this deploy changes nothing.` };
  }
  if (pullRequest === undefined) {
    return {
      asReviewed: false,
      text: `\`${stack}\`: **not reviewed**. The commit has no pull request.\n\n${summary.title}`,
    };
  }
  if (reviewed === undefined) {
    return {
      asReviewed: false,
      text: `\`${stack}\`: **not reviewed**. #${pullRequest} has no preview of this stack.\n\n${summary.title}`,
    };
  }
  if (reviewed.hash === summary.hash) {
    return { asReviewed: true, text: `\`${stack}\`: **as reviewed** in #${pullRequest}.` };
  }
  return {
    asReviewed: false,
    text:
      `\`${stack}\`: **differs from what was reviewed** in #${pullRequest} ` +
      `(\`-\` reviewed, \`+\` now):\n\n${fencedDiff(reviewed.body, summary.markdown)}`,
  };
}

/** Lists the lines that only one of two texts has, in their order. */
function fencedDiff(before: string, after: string): string {
  const [old, now] = [linesOf(before), linesOf(after)];
  const removed = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  const added = now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return ["````diff", ...removed, ...added, "````"].join("\n");
}

/** Lines of a review without its marker. */
function linesOf(markdown: string): string[] {
  return markdown
    .split(/\r?\n/)
    .map((line) => line.trim().replaceAll("````", "```"))
    .filter((line) => line !== "" && !line.startsWith("<!-- store:preview"));
}

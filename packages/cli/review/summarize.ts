import { createHash } from "node:crypto";
import type { Review } from "./model/reviewModel";
import { renderBody } from "./render/body";
import { exitCodeOf, isChange, titleText, verdictOf } from "./render/verdict";
import {
  FULL_LIMIT,
  labelOf,
  MARKDOWN_LIMIT,
  markerOf,
  SUMMARY_SCHEMA,
  type Summary,
} from "./summary";

/**
 * Makes the texts of a review from its facts alone. A reader that doesn't trust a summary's texts makes them again from
 * `summary.review`, because all facts are escaped here.
 */
export function summarize(review: Review): Summary {
  const { text: body } = renderBody(review, Infinity);
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
  const marker = `${markerOf(review.stack, hash)}\n`;
  const comment = fit(review, MARKDOWN_LIMIT - marker.length);
  const verdict = verdictOf(review);
  const exitCode = exitCodeOf(review);
  const title = titleText(review);
  return {
    schema: SUMMARY_SCHEMA,
    stack: review.stack,
    verdict,
    label: labelOf(review.stack, verdict),
    title: shortened(`${review.stack} after this request: ${title}`, 300),
    status: {
      context: `store/preview (${review.stack})`,
      state: exitCode === 1 ? "failure" : "success",
      description: shortened(title, 140),
    },
    exitCode,
    changed: isChange(review),
    hash,
    markdown: marker + comment.text,
    full: marker + fit(review, FULL_LIMIT - marker.length).text,
    cut: comment.cut,
    review,
  };
}

/** Numbers of steps for each service to try, one after the other. */
const LIMITS = [Infinity, 200, 100, 50, 20, 10, 5, 2, 0];

const CUT = "\n\n**This text was cut: it is too long.**\n";

/** Returns the body with as many steps as fit. */
function fit(review: Review, limit: number): { readonly text: string; readonly cut: number } {
  let last = renderBody(review, 0);
  for (const steps of LIMITS) {
    last = renderBody(review, steps);
    if (last.text.length <= limit) return last;
  }
  // Everything else has limits of its own, which hostile names can still exceed. The dangers come first, so they stay.
  const end = last.text.lastIndexOf("\n", limit - CUT.length);
  return { ...last, text: `${last.text.slice(0, Math.max(0, end))}${CUT}` };
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

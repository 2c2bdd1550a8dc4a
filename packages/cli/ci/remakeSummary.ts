import { createHash } from "node:crypto";
import { labelOf, markerOf, type Summary } from "../review/summary";

/** Names of services and kinds of changes in an ordinary checkout. Anything else could be Markdown. */
const PLAIN = /^[\w -]{1,60}$/;

/** Makes a summary anew from the facts of a fork's checkout: which services change. Uses no text of the file but plain names. */
export function remakeSummary(review: Summary["review"]): Summary {
  const changed = review.services.filter(({ change }) => change !== "unchanged");
  const rows = changed.flatMap(({ name, change }) =>
    PLAIN.test(name) ? [`| ${name} | ${change} |`] : [],
  );
  const title =
    changed.length === 0 ? "no image changes" : `${changed.length} services change (checkout only)`;
  const body = [
    `### \`${review.stack}\` after this request: ${title}`,
    "",
    ...(rows.length > 0 ? ["| service | image |", "| --- | --- |", ...rows, ""] : []),
    "The request comes from a fork: only the checkouts were compared. A maintainer can push the branch to this repository, which " +
      "previews it with the stack's state.",
  ].join("\n");
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
  const markdown = `${markerOf(review.stack, hash)}\n${body}\n`;
  return {
    schema: 1,
    stack: review.stack,
    verdict: changed.length === 0 ? "unchanged" : "changes",
    label: labelOf(review.stack, "changes"),
    title,
    status: { context: `store/preview (${review.stack})`, state: "failure", description: title },
    exitCode: 0,
    changed: changed.length > 0,
    hash,
    markdown,
    full: markdown,
    cut: 0,
    review,
  };
}

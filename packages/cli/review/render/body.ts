import type { Review } from "../model/reviewModel";
import { cautionBlocks } from "./dangers";
import { plainText } from "./escape";
import { cloudTable, costLine, migrationLines, policyLines } from "./sections";
import { serviceTable } from "./services";
import { type CutText, inheritedFold, stepsFold } from "./steps";
import { isChange, titleParts } from "./verdict";

/**
 * Returns the body of a comment: verdict, dangers, services, migrations, cloud, policies, cost, and folded the steps. Contains nothing
 * that depends on the time or the run, so that equal previews have equal bodies.
 *
 * @param limit Maximum number of steps for each service.
 */
export function renderBody(review: Review, limit: number): CutText {
  if (!isChange(review) && isShort(review)) return { text: `${titleLine(review)}\n`, cut: 0 };
  const inherited = inheritedFold(review, limit);
  const steps = stepsFold(review, limit);
  const cut = inherited.cut + steps.cut;
  const blocks = [
    titleLine(review),
    ...cautionBlocks(review),
    serviceTable(review).join("\n"),
    migrationBlock(review),
    cloudTable(review).join("\n"),
    policyLines(review).join("\n"),
    costLine(review).join("\n"),
    scopeNote(review),
    inherited.text,
    steps.text,
    cut > 0 ? CUT_NOTE : "",
    footer(review),
  ];
  return { text: `${blocks.filter((block) => block !== "").join("\n\n")}\n`, cut };
}

const CUT_NOTE =
  "Not every step fits into a comment. The whole list: the summary of the run that wrote this, or the command below.";

/** Checks that the title says everything. */
function isShort({ dangers, policies, steps, migrations }: Review): boolean {
  return (
    dangers.length === 0 &&
    policies.violations.length === 0 &&
    steps.length === 0 &&
    migrations.length === 0
  );
}

function titleLine(review: Review): string {
  const stack = `\`${review.stack}\``;
  if (review.scope === "checkout" && !review.compared) {
    return `### ${stack}: the checkout's services, not compared with a base`;
  }
  const parts = titleParts(review).map(({ text, isDanger }) => (isDanger ? `**${text}**` : text));
  return `### ${stack} after this request: ${parts.length === 0 ? "nothing changes" : parts.join(", ")}`;
}

function migrationBlock(review: Review): string {
  const lines = migrationLines(review);
  return lines.length === 0 ? "" : ["Database migrations:", "", ...lines].join("\n");
}

function scopeNote({ scope, stack }: Review): string {
  if (scope === "stack") return "";
  return (
    "This compares two checkouts, without the stack's state and secrets: it shows no changes of the cloud, of settings and of data. " +
    `A maintainer can see them: \`./store preview ${plainText(stack)} --markdown\`.`
  );
}

function footer({ stack, scope }: Review): string {
  const flag = scope === "checkout" ? " --checkout-only" : "";
  return `<sub>The same here: <code>./store preview ${plainText(stack)} --markdown${flag}</code></sub>`;
}

import type { Review, Step } from "../model/reviewModel";
import { codeLine, fence, plainText } from "./escape";
import { shortType } from "./types";
import { ownSteps } from "./verdict";
import { counted } from "./words";

const MARKS: Readonly<Record<Step["operation"], string>> = {
  create: "+",
  update: "~",
  replace: "!",
  delete: "-",
};

/** A text, and the number of steps that it leaves out. */
export interface CutText {
  readonly text: string;
  readonly cut: number;
}

/**
 * Returns the folded list of the request's steps.
 *
 * @param limit Maximum number of steps for each service; the rest is counted.
 */
export function stepsFold(review: Review, limit: number): CutText {
  const steps = ownSteps(review);
  if (steps.length === 0) return { text: "", cut: 0 };
  const total = review.steps.length + review.unchangedResources;
  const title = `Every step (${steps.length} of ${counted(total, "resource")}: ${operationCounts(steps)})`;
  const { lines, cut } = stepLines(steps, limit);
  const note = "Values are shown only where they can't be secret.";
  return { text: fold(title, `${block(lines, "diff")}\n${note}`), cut };
}

/** Returns the folded list of what is due without the request, too. */
export function inheritedFold({ steps, stack }: Review, limit: number): CutText {
  const inherited = steps.filter((step) => step.inherited);
  if (inherited.length === 0) return { text: "", cut: 0 };
  const title =
    `<b>Not from this request</b>: ${counted(inherited.length, "change")} of ` +
    `${plainText(stack)} ${inherited.length === 1 ? "is" : "are"} due on the base, too`;
  const { lines, cut } = stepLines(inherited, limit);
  return { text: fold(title, block(lines, "diff")), cut };
}

function fold(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n</details>`;
}

function block(lines: readonly string[], language: string): string {
  const marks = fence(lines);
  return `${marks}${language}\n${lines.join("\n")}\n${marks}`;
}

function operationCounts(steps: readonly Step[]): string {
  const words = { create: "created", update: "updated", replace: "replaced", delete: "deleted" };
  return (["create", "update", "replace", "delete"] as const)
    .flatMap((operation) => {
      const { length } = steps.filter((step) => step.operation === operation);
      return length === 0 ? [] : [`${length} ${words[operation]}`];
    })
    .join(", ");
}

/** Lists the steps by service, the shared ones last. */
function stepLines(
  steps: readonly Step[],
  limit: number,
): { readonly lines: string[]; readonly cut: number } {
  const services = [...new Set(steps.map(({ service }) => service))].sort((a, b) =>
    a === undefined ? 1 : b === undefined ? -1 : a < b ? -1 : 1,
  );
  const width = Math.min(40, Math.max(...steps.map(({ type }) => shortType(type).length)));
  let cut = 0;
  const lines = services.flatMap((service) => {
    const own = steps.filter((step) => step.service === service);
    const left = Math.max(0, own.length - limit);
    cut += left;
    const name = service ?? "other resources";
    return [
      ...own.slice(0, limit).map((step) => codeLine(stepLine(step, width))),
      ...(left > 0 ? [codeLine(`  … ${counted(left, "more step")} of ${name}`)] : []),
    ];
  });
  return { lines, cut };
}

function stepLine({ operation, type, name, properties, changes }: Step, width: number): string {
  const values = changes
    .filter(() => operation === "update" || operation === "replace")
    .map(({ property, before = "?", after = "?" }) => `${property}: ${before} → ${after}`);
  const others = properties.map((property) => (property === "?" ? "…" : property));
  const cause = [...others, ...values].join(", ");
  return `${MARKS[operation]} ${shortType(type).padEnd(width)} ${name}${cause === "" ? "" : `  ${cause}`}`;
}

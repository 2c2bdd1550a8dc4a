import type { Danger, Review } from "../model/reviewModel";
import { DURATIONS } from "../collect/durations";
import { code, paragraphs, plainText } from "./escape";
import { violationLine } from "./sections";
import { typeLabel } from "./types";
import { duration } from "./words";

/** Maximum number of dangers of one kind that are listed in a comment. */
const LIMIT = 30;

/** Returns the blocks above everything else: the refusal, and whatever needs a second look. */
export function cautionBlocks(review: Review): string[] {
  const { dangers } = review;
  const kinds = ["data", "exposure", "vm"] as const;
  const lines = kinds.flatMap((kind) => {
    const own = dangers.filter((danger) => danger.kind === kind);
    const shown = own
      .slice(0, LIMIT)
      .map((danger) => dangerLine(danger, review.refusal !== undefined));
    return own.length > LIMIT ? [...shown, `**${own.length - LIMIT} more of this kind.**`] : shown;
  });
  const violations = review.policies.violations
    .filter(({ mandatory }) => mandatory)
    .map((violation) => `**Policy violated.** ${violationLine(violation)}`);
  const more = violations.length - LIMIT;
  return [
    ...(violations.length > 0
      ? [
          alert("CAUTION", [
            ...violations.slice(0, LIMIT),
            ...(more > 0 ? [`**${more} more violations.**`] : []),
          ]),
        ]
      : []),
    ...(review.refusal ? [alert("CAUTION", refusalLines(review.refusal))] : []),
    ...(lines.length > 0 ? [alert("CAUTION", lines)] : []),
  ];
}

/** Returns a block that GitHub shows with a coloured bar. */
export function alert(kind: "CAUTION" | "WARNING" | "NOTE", blocks: readonly string[]): string {
  const lines = blocks.flatMap((block, index) => [
    ...(index > 0 ? [""] : []),
    ...block.split("\n"),
  ]);
  return [`> [!${kind}]`, ...lines.map((line) => `> ${line}`.trimEnd())].join("\n");
}

function refusalLines({ summary, details, hint }: NonNullable<Review["refusal"]>): string[] {
  return [
    `**The preview is refused.** ${paragraphs(summary)}`,
    ...(details.length > 0 ? [paragraphs(details.join("\n"))] : []),
    ...(hint === undefined ? [] : [paragraphs(hint)]),
  ];
}

function dangerLine(danger: Danger, refused: boolean): string {
  const text = DANGERS[danger.kind](danger, refused);
  return danger.inherited ? `${text} _Not from this request: it is due on the base, too._` : text;
}

const DANGERS: Readonly<Record<Danger["kind"], (danger: Danger, refused: boolean) => string>> = {
  data: ({ name, type, operation, ...danger }, refused) => {
    const what = operation === "delete" ? "is deleted" : "is replaced by an empty one";
    const kept = "It is protected: `up` deletes nothing and stops with a message.";
    return (
      `**Data at risk: ${code(name)}** (${typeLabel(type)}) ${what}. ` +
      (danger.protected || refused ? kept : "Its data is lost after the `up`.")
    );
  },
  exposure: ({ name, type, detail = "a port", before, after }) => {
    const was = before === undefined ? "closed before" : `was ${code(before)}`;
    return detail === "published port"
      ? `**Opens to the network:** ${code(name)} (${typeLabel(type)}) publishes port ${code(after ?? "?")} (${was}).`
      : `**Opens to the network:** ${plainText(detail)} of ${code(name)} (${typeLabel(type)}) opens to ${code(after ?? "?")} (${was}).`;
  },
  vm: ({ name, operation }) =>
    operation === "delete"
      ? `**Virtual machine ${code(name)} is deleted.** The store is offline afterwards.`
      : `**Virtual machine ${code(name)} is replaced.** The store is offline for ${duration(DURATIONS.virtualMachine)}; ` +
        "its address and the data disk stay.",
};

import type { Danger, Review } from "../model/reviewModel";
import { type Verdict, VERDICTS } from "../summary";
import { GATEWAY } from "../collect/serviceNames";
import { counted, listed } from "./words";

/** Dangers that the request itself causes. */
function ownDangers({ dangers }: Review, kind: Danger["kind"]): Danger[] {
  return dangers.filter((danger) => danger.kind === kind && !danger.inherited);
}

/** True if the request changes something, or its effect isn't known. */
export function isChange(review: Review): boolean {
  return review.scope === "checkout"
    ? review.services.some(({ change }) => change !== "unchanged")
    : review.refusal !== undefined || ownSteps(review).length > 0;
}

export function ownSteps({ steps }: Review): Review["steps"] {
  return steps.filter(({ inherited }) => !inherited);
}

/** Returns the worst result that applies. */
export function verdictOf(review: Review): Verdict {
  return VERDICTS.find((verdict) => APPLIES[verdict](review)) ?? "unchanged";
}

const APPLIES: Readonly<Record<Verdict, (review: Review) => boolean>> = {
  "data at risk": (review) => ownDangers(review, "data").length > 0,
  "policy violated": ({ policies }) => policies.violations.some(({ mandatory }) => mandatory),
  refused: ({ refusal }) => refusal !== undefined,
  "opens to the network": (review) => ownDangers(review, "exposure").length > 0,
  "virtual machine replaced": (review) => ownDangers(review, "vm").length > 0,
  changes: isChange,
  unchanged: () => true,
};

/** Returns the exit code of `./store preview --markdown`: see {@link Summary.exitCode}. */
export function exitCodeOf(review: Review): 0 | 1 | 3 {
  if (review.refusal || review.policies.violations.some(({ mandatory }) => mandatory)) return 1;
  return ["changes", "unchanged"].includes(verdictOf(review)) ? 0 : 3;
}

/** A part of the title. */
export interface TitlePart {
  readonly text: string;
  readonly isDanger: boolean;
}

/** Returns the effects in a few words, for the title. */
export function titleParts(review: Review): TitlePart[] {
  const dangers = [
    danger(ownDangers(review, "exposure").length, "way in opens", "ways in open"),
    danger(
      ownDangers(review, "vm").length,
      "virtual machine replaced",
      "virtual machines replaced",
    ),
    danger(ownDangers(review, "data").length, "volume or disk at risk", "volumes or disks at risk"),
  ].flat();
  const violations = review.policies.violations.filter(({ mandatory }) => mandatory).length;
  return [
    ...(review.refusal ? [{ text: "the preview is refused", isDanger: true }] : []),
    ...danger(violations, "policy violated", "policies violated"),
    ...(review.first
      ? [{ text: `first deployment, ${counted(review.steps.length, "resource")}`, isDanger: false }]
      : serviceParts(review)),
    ...dangers,
  ];
}

/** The title in one line of plain text. */
export function titleText(review: Review): string {
  const parts = titleParts(review).map(({ text }) => text);
  return parts.length === 0 ? "nothing changes" : parts.join(", ");
}

function danger(count: number, noun: string, plural: string): TitlePart[] {
  return count === 0 ? [] : [{ text: counted(count, noun, plural), isDanger: true }];
}

const CHANGES = ["new", "replaced", "restarted", "scaled", "changed", "removed"] as const;

function serviceParts(review: Review): TitlePart[] {
  const parts = CHANGES.flatMap((change) => {
    const found = review.services.filter((service) => service.change === change);
    const { length } = found.filter(({ name }) => name !== GATEWAY);
    return [
      ...(length === 0 ? [] : [`${counted(length, "service")} ${change}`]),
      ...(found.length === length ? [] : [`the gateway ${change}`]),
    ];
  });
  if (parts.length === 0 && !isChange(review)) return [];
  if (parts.length === 0 && review.refusal) return [];
  const text =
    parts.length === 0 ? counted(ownSteps(review).length, "resource") + " changed" : listed(parts);
  return [{ text, isDanger: false }];
}

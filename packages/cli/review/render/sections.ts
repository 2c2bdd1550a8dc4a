import { isWorkerName } from "../../../../components/host/azure/vmNames";
import { DURATIONS } from "../collect/durations";
import { typeKey } from "../collect/publicValues";
import type { Change, Migration, Review, Step } from "../model/reviewModel";
import { code, paragraphs, plainText } from "./escape";
import { isCloud, typeLabel } from "./types";
import { ownSteps } from "./verdict";
import { counted, duration, limited } from "./words";

/** Maximum number of rows and items of a section in a comment; the rest is counted. */
const LIMIT = 40;

/** Returns a line for each changed migration. */
export function migrationLines({ migrations }: Review): string[] {
  return capped(migrations.map(migrationLine), "more migration");
}

function migrationLine({ service, file, compatible, effects }: Migration): string {
  const name = file.split("/").at(-1) ?? file;
  const words = effects.map(plainText).join("; ");
  return `- ${COMPATIBLE[compatible]} ${plainText(service)}, ${code(name)}: ${words}.`;
}

const COMPATIBLE = {
  yes: "**The release before can live with it.**",
  no: "**The release before may fail on it**, during the rollout and after a rollback.",
  unknown: "**Look at it**: its effect on the release before isn't known.",
} as const;

/** Returns the table of the resources in the cloud that change. */
export function cloudTable(review: Review): string[] {
  const steps = ownSteps(review).filter(({ type }) => isCloud(type));
  if (steps.length === 0) return [];
  const rows = steps.slice(0, LIMIT).map((step) => {
    const cells = [
      `${typeLabel(step.type)} ${code(step.name)}`,
      whatHappens(step),
      beforeAfter(step),
      interruption(step),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const more = steps.length - rows.length;
  return [
    "| in Azure | what | before → after | interruption |",
    "| --- | --- | --- | --- |",
    ...rows,
    ...(more > 0 ? [`| ${counted(more, "more resource")} | | | |`] : []),
  ];
}

const OPERATIONS: Readonly<Record<Step["operation"], string>> = {
  create: "create",
  update: "update",
  replace: "**replace**",
  delete: "**delete**",
};

function whatHappens({ operation, causes = [] }: Step): string {
  const names = causes.map((path) => (path === "?" ? "a property that isn't shown" : code(path)));
  return OPERATIONS[operation] + (names.length > 0 ? ` because of ${limited(names, 5)}` : "");
}

function beforeAfter({ changes, properties, operation }: Step): string {
  const values = changes.map(({ property, before, after }: Change) =>
    operation === "create"
      ? `${plainText(property)}: ${code(after ?? "?")}`
      : `${plainText(property)}: ${before === undefined ? "not shown" : code(before)} → ${after === undefined ? "not shown" : code(after)}`,
  );
  const others = properties.map((name) => (name === "?" ? "a property" : code(name)));
  if (values.length > 0) return limited(values, 10);
  return limited(others, 10);
}

function interruption({ type, name, operation }: Step): string {
  const kind = typeKey(type).split(":").at(-1);
  if (operation === "create") return "none";
  if (kind === "VirtualMachine" && isWorkerName(name) && operation !== "update")
    return "none with another worker, which runs its instances";
  if (operation === "delete") return DELETED[kind ?? ""] ?? "none";
  if (operation === "update") return "none";
  if (kind === "VirtualMachine") return `**${duration(DURATIONS.virtualMachine)}**`;
  if (kind === "PublicIPAddress") return "**the address changes**";
  return kind === "NetworkInterface" || kind === "Subnet" || kind === "VirtualNetwork"
    ? "**look at it**: the virtual machine uses it"
    : "look at it";
}

/** Effects of a deletion, by the last part of the type. */
const DELETED: Readonly<Record<string, string>> = {
  VirtualMachine: "**offline**",
  RecordSet: "**the name leads nowhere**",
};

/** Returns the results of the policies; empty if none was applied. Mandatory ones are above: see {@link violationLine}. */
export function policyLines({ policies, refusal }: Review): string[] {
  const { packs, violations } = policies;
  if (violations.length === 0) return packs === 0 || refusal ? [] : ["Policies: all hold."];
  const mandatory = violations.filter((violation) => violation.mandatory).length;
  const advisory = violations.filter((violation) => !violation.mandatory);
  const counts = [
    ...(mandatory > 0 ? [`**${mandatory} violated** (above)`] : []),
    ...(advisory.length > 0 ? [`${advisory.length} to look at`] : []),
  ];
  const lines = advisory.map((violation) => `- ${violationLine(violation)}`);
  return [`Policies: ${counts.join(", ")}.`, "", ...capped(lines, "more result")];
}

/** Returns the policy with the resource that violates it, and what to do. */
export function violationLine({
  policy,
  resource,
  message,
}: Review["policies"]["violations"][number]): string {
  const subject = resource === undefined ? "The stack" : code(resource);
  const text =
    message === "" ? "violates a policy; its message isn't shown." : paragraphs(message, 5);
  return `**${plainText(policy)}**: ${subject} ${text}`;
}

/** Returns the monthly cost; empty if it isn't known. */
export function costLine({ cost }: Review): string[] {
  if (cost === undefined) return [];
  const { currency, before, after, prices, unpriced } = cost;
  const amount = (value: number): string => `${plainText(currency)} ${value.toFixed(2)}`;
  const change =
    before === undefined
      ? amount(after)
      : before === after
        ? `${amount(after)}, unchanged`
        : `${amount(before)} → **${amount(after)}**`;
  const missing = unpriced === 0 ? "" : ` and without ${counted(unpriced, "resource")}`;
  return [
    `Cost a month: ${change} (list prices of ${plainText(prices)}, without traffic${missing}).`,
  ];
}

function capped(lines: readonly string[], noun: string): string[] {
  const more = lines.length - LIMIT;
  return more > 0 ? [...lines.slice(0, LIMIT), `- ${counted(more, noun)}.`] : [...lines];
}

import type { Notice, Review, ServiceReview } from "../model/reviewModel";
import { GATEWAY } from "../collect/serviceNames";
import { code, plainText } from "./escape";
import { counted, duration, limited } from "./words";

/** Maximum numbers that a comment shows; the rest is counted. */
const ROWS = 60;
const FILES = 5;
const NAMES = 20;

/** Returns the table of the services that change; empty if none does. */
export function serviceTable(review: Review): string[] {
  const changed = review.services.filter(({ change }) => change !== "unchanged");
  if (changed.length === 0) return [];
  const unchanged = review.services.filter(({ change }) => change === "unchanged");
  const known = new Set(review.checkout.services.map(({ name }) => name));
  const rows = changed
    .slice(0, ROWS)
    .map((service) => row(service, review, known.has(service.name) || service.name === GATEWAY));
  const more = changed.length - rows.length;
  return [
    "| service | what happens | because of | users notice |",
    "| --- | --- | --- | --- |",
    ...rows,
    ...(more > 0 ? [`| ${counted(more, "more service")} | | | |`] : []),
    ...(unchanged.length > 0
      ? [
          `| ${limited(
            unchanged.map(({ name }) => plainText(name)),
            NAMES,
          )} | unchanged | | |`,
        ]
      : []),
  ];
}

function row(service: ServiceReview, { first, compared }: Review, isKnown: boolean): string {
  const cells = [
    `**${plainText(service.name)}**`,
    whatHappens(service),
    first && !compared ? "" : because(service, isKnown),
    noticeWords(service),
  ];
  return `| ${cells.join(" | ")} |`;
}

function whatHappens({ name, change, tag, instances, properties }: ServiceReview): string {
  const after = tag?.after === undefined ? "" : ` ${code(tag.after)}`;
  const was = tag?.before === undefined ? "" : ` (was ${code(tag.before)})`;
  const count = instances === undefined ? "" : `, ${counted(instances.after, "instance")}`;
  switch (change) {
    case "new":
      return name === GATEWAY ? "created" : `created, image${after}${count}`;
    case "removed":
      return "stopped and deleted";
    case "replaced":
      return `new image${after}${was}${count}${instances === undefined ? "" : " replaced"}`;
    case "restarted":
      return `same image${count} replaced`;
    case "scaled":
      return `${counted(instances?.after ?? 0, "instance")} instead of ${instances?.before ?? 0}`;
    default:
      if (properties.includes("routes")) return "other routes, taken by a reload of the gateway";
      return name === GATEWAY
        ? "new configuration, taken by a reload"
        : "its files, database or network change";
  }
}

function because({ change, files, properties, notice }: ServiceReview, isKnown: boolean): string {
  if (change === "removed" && !isKnown) return "no longer in this checkout";
  if (notice.kind === "vm" && change === "restarted" && properties.length === 0 && !files?.length)
    return "the virtual machine";
  const paths = (files ?? []).map(
    (file) => code(file.path) + (file.change === "changed" ? "" : ` (${file.change})`),
  );
  const names = properties.map((property) =>
    property === "?" ? "a property that isn't shown" : code(property),
  );
  return [
    ...(paths.length > 0 ? [`${counted(paths.length, "file")}: ${limited(paths, FILES)}`] : []),
    ...(names.length > 0 ? [limited(names, NAMES)] : []),
  ].join("; ");
}

function noticeWords({ name, notice, instances }: ServiceReview): string {
  if (notice.kind === "new") return name === GATEWAY ? "the store answers" : "a new service";
  if (notice.kind === "nothing" && instances && instances.after > 0) {
    return name === GATEWAY ? "nothing" : "nothing: the new ones start beside the old";
  }
  return NOTICES[notice.kind](notice);
}

const NOTICES: Readonly<Record<Notice["kind"], (notice: Notice) => string>> = {
  nothing: () => "nothing",
  new: () => "a new service",
  gone: () => "its routes answer 404",
  stopped: ({ seconds = 0, reason = "" }) =>
    `**${duration(seconds)} without an answer**, stopped first: ${plainText(reason)}`,
  vm: ({ seconds = 0 }) => `**${duration(seconds)} offline**: the virtual machine is replaced`,
  unknown: () => "look at it",
};

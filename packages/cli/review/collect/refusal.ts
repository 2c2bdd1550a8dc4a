import type { CliError } from "@store/docker/cliError";
import { configSchema } from "../../../../config/schema";
import type { Found } from "../../diagnostics/rule";
import { PROBLEMS } from "../../diagnostics/rules/hostProblems";
import { resourceName } from "../../state/checkpoint";
import { shorten } from "../model/shorten";
import type { Danger, Review } from "../model/reviewModel";
import { completeCommands, storeCommand } from "../../project/storeCommand";

type Refusal = NonNullable<Review["refusal"]>;

/** Rules of diagnose.ts whose messages consist of their own words and of names, so that they quote no secret. */
const PUBLIC_RULES: ReadonlySet<string> = new Set([
  "protected-data",
  "protected-replacement",
  "wrong-passphrase",
  "unexpected-changes",
]);

/** Causes in words of their own, for rules whose messages quote the error. */
const CAUSES: Readonly<Record<string, string>> = {
  "program-failed": "The program failed with an exception.",
  "program-error": "The program reports an error.",
  "undecryptable-secret": "A secret of the stack can't be decrypted.",
  "config-rejected-by-engine": "The engine refuses a value of the stack's configuration.",
  "engine-failed": "The engine failed before it previewed anything.",
};

/**
 * Returns the message of a failed preview without texts of errors, which may quote secrets.
 *
 * @param error The message for the terminal.
 * @param found The errors with their rules, the reported one first.
 */
export function publicRefusal(error: CliError, found: readonly Found[], stack: string): Refusal {
  const [first, ...others] = found;
  const more = others.length === 0 ? [] : [`${others.length} more errors.`];
  if (first && PUBLIC_RULES.has(first.rule.name)) {
    // Other errors are appended to the summary.
    const [summary = ""] = error.summary.split("\n  Also:");
    return refusal(summary, more, error.hint);
  }
  if (first?.rule.name === "config-rejected") {
    return refusal(
      "The stack's configuration is invalid.",
      [...rejectedKeys(first.error.message), ...more],
      `Nothing was changed. All messages: ${storeCommand("preview", stack)}`,
    );
  }
  const problem = PROBLEMS.find(({ name }) => name === first?.rule.name);
  if (problem) {
    return refusal(`Cause: ${problem.cause}.`, more, completeCommands(problem.hint, stack));
  }
  return refusal(
    CAUSES[first?.rule.name ?? "engine-failed"] ?? resourceSummary(first),
    more,
    `The message isn't shown, because it may quote a secret. See it in the log of this run, or: ${storeCommand("preview", stack)}`,
  );
}

function refusal(summary: string, details: readonly string[], hint: string | undefined): Refusal {
  return {
    summary: shorten(summary, 2000),
    details: details.slice(0, 20).map((line) => shorten(line)),
    ...(hint !== undefined && { hint: shorten(hint, 2000) }),
  };
}

function resourceSummary(found: Found | undefined): string {
  const names = (found?.urns ?? []).map(resourceName).slice(0, 3);
  return names.length === 0
    ? "A resource can't be previewed."
    : `A resource can't be previewed: ${names.join(", ")}.`;
}

const KEYS: ReadonlySet<string> = new Set(Object.keys(configSchema([]).entries));

/** The configuration's keys with what their values should be, but not the values. See config/configError.ts. */
function rejectedKeys(message: string): string[] {
  return message.split("\n").flatMap((line) => {
    const [, key] = /^(store:[A-Za-z]{1,40})\b/.exec(line) ?? [];
    if (key === undefined) return [];
    if (!KEYS.has(key.replace("store:", ""))) return ["A key is unknown."];
    const [, rule] = / (should be [a-z0-9 ,.]{1,100})$/i.exec(line) ?? [];
    return [`${key} ${rule ?? "has a wrong value."}`];
  });
}

/** Returns the protected data that a refused preview would delete or replace. The engine previews no steps for it. */
export function protectedDangers(found: readonly Found[]): Danger[] {
  return found.flatMap(({ rule, urns }) => {
    if (rule.name !== "protected-data" && rule.name !== "protected-replacement") return [];
    return urns.map((urn): Danger => ({
      kind: "data",
      operation: rule.name === "protected-data" ? "delete" : "replace",
      type: shorten(urn.split("::")[2]?.split("$").at(-1) ?? ""),
      name: shorten(resourceName(urn)),
      protected: true,
    }));
  });
}

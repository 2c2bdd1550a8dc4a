import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "@store/docker/cliError";
import { findOnPath, run } from "@store/toolchain/system/run";
import type { Reporter } from "../../terminal/terminal";
import { type CommandLine, foundLine, type Step, substitute } from "./step";

/** Number of looks for a thing that was just made: Azure's directory shows it after some seconds. */
const LOOKS = 6;

/**
 * Makes what is missing. Changes nothing that exists, so a second run continues where the first one stopped.
 *
 * @param delayMs Time between two looks for a thing that was just made.
 * @returns the variables of the steps.
 * @throws CliError
 */
export async function runSteps(
  steps: readonly Step[],
  report: Reporter,
  delayMs = 5000,
): Promise<ReadonlyMap<string, string>> {
  requirePrograms();
  const variables = new Map<string, string>();
  for (const step of steps) {
    const value = await runStep(step, variables, report, delayMs);
    if (step.variable !== undefined) variables.set(step.variable, value);
  }
  return variables;
}

async function runStep(
  step: Step,
  variables: ReadonlyMap<string, string>,
  report: Reporter,
  delayMs: number,
): Promise<string> {
  const [, expected = ""] = substitute(["az", step.expect ?? ""], variables);
  const look = async (): Promise<string | undefined> =>
    foundLine(await call(step, substitute(step.find, variables)), expected || undefined);
  const existing = await look();
  if (existing !== undefined) {
    report.note(`exists: ${step.title}`);
    return existing;
  }
  if (step.create.length === 0) {
    throw failed(step, `${step.find.join(" ")} prints nothing`, "Log in to another account.");
  }
  report.step(step.title);
  for (const command of step.create) await call(step, substitute(command, variables));
  for (let n = 0; n < LOOKS; n++) {
    const made = await look();
    if (made !== undefined) return made;
    await sleep(delayMs);
  }
  throw failed(step, "it was made, but doesn't show yet", "Wait a minute.");
}

async function call(step: Step, [program, ...args]: CommandLine): Promise<string> {
  const { code, stdout, stderr } = await run(program, args);
  if (code === 0) return stdout;
  const reason = stderr.trim() || `${program} ended with exit code ${code ?? "none"}`;
  throw failed(step, reason, remedyFor(program, reason));
}

function failed({ title, find: [program] }: Step, reason: string, remedy: string): CliError {
  return new CliError(`The setup stopped at: ${title}.`, {
    details: reason.split("\n"),
    detailsTitle: program,
    hint: `${remedy} Then run the command again: it skips what exists.`,
  });
}

/** Returns what to do after a failed call, as a sentence. */
export function remedyFor(program: "az" | "gh", reason: string): string {
  if (/az login|gh auth login|not logged in|AADSTS/i.test(reason)) {
    return program === "az" ? "Log in: az login." : "Log in: gh auth login.";
  }
  if (/Forbidden|AuthorizationFailed|Insufficient privileges|HTTP 403/i.test(reason)) {
    return (
      "A new role takes some minutes to work. Otherwise ask somebody who owns the subscription and the directory (or the repository) " +
      "to run the script that ./store ci setup prints."
    );
  }
  return "Fix the cause.";
}

function requirePrograms(): void {
  for (const [program, page] of [
    ["az", "https://learn.microsoft.com/cli/azure/install-azure-cli"],
    ["gh", "https://cli.github.com"],
  ] as const) {
    if (findOnPath(program) !== undefined) continue;
    throw new CliError(`The setup needs the program ${program}, which isn't on PATH.`, {
      hint: `Install it: ${page}. Or leave out --apply and run the printed script elsewhere.`,
    });
  }
}

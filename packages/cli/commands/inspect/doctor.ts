import { ExitCode } from "@store/docker/cliError";
import type { CheckResult } from "../../doctor/check";
import { runChecks } from "../../doctor/checks";
import { openSession, StackOptions } from "../../project/session";
import { colors } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

export const doctor = defineCommand<StackFlags, StackOptions>({
  name: "doctor",
  summary: "check this machine and print what is missing and how to fix it; changes nothing",
  flags: STACK_FLAGS,
  examples: ["./store doctor"],
  parse: ({ flags }) => parseStack(flags),
  run,
});

async function run(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const results = await runChecks(session);
  process.stdout.write(render(results, session.stack.name));
  return results.some(({ status }) => status === "failed") ? ExitCode.Failed : ExitCode.Ok;
}

function render(results: readonly CheckResult[], stack: string): string {
  const width = Math.max(...results.map(({ title }) => title.length));
  const failed = results.filter(({ status }) => status === "failed").length;
  const conclusion =
    failed === 0
      ? `Nothing is missing. ${storeCommand("up", stack)} can run.`
      : `${failed} ${failed === 1 ? "check" : "checks"} failed.`;
  return [...results.map((result) => renderResult(result, width)), "", conclusion, ""].join("\n");
}

function renderResult({ title, status, found, hint }: CheckResult, width: number): string {
  const mark = { ok: colors.green("✓"), pending: colors.yellow("·"), failed: colors.red("✗") }[
    status
  ];
  const line = `${mark} ${title.padEnd(width)}  ${found}`;
  return hint === undefined ? line : `${line}\n  ${" ".repeat(width)}  ${colors.dim(hint)}`;
}

import { appendFileSync, statSync } from "node:fs";

/** Limit of a step's summary in bytes. GitHub drops the whole text above it. */
const LIMIT = 1024 * 1024;

const CUT =
  "\n\n**Cut here**: GitHub takes 1 MiB per step. The rest is in the artifact of this run.\n";

/**
 * Adds a text to the summary of the job, which GitHub shows on the run's page. Does nothing outside of a workflow.
 *
 * @param file Default: the file that GitHub names in GITHUB_STEP_SUMMARY.
 */
export function addJobSummary(
  markdown: string,
  file: string | undefined = process.env["GITHUB_STEP_SUMMARY"],
): void {
  if (!file) return;
  const used = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  appendFileSync(file, cutToBytes(`${markdown.trimEnd()}\n\n`, LIMIT - used));
}

/** Cuts a text to a number of bytes in UTF-8, at the end of a line. */
export function cutToBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const room = limit - Buffer.byteLength(CUT);
  if (room <= 0) return "";
  const part = Buffer.from(text).subarray(0, room).toString("utf8");
  return part.slice(0, Math.max(0, part.lastIndexOf("\n"))) + CUT;
}

/**
 * Sets an output of the step, for later steps and jobs. Does nothing outside of a workflow.
 *
 * @param value One line.
 */
export function setOutput(
  name: string,
  value: string,
  file: string | undefined = process.env["GITHUB_OUTPUT"],
): void {
  if (file) appendFileSync(file, `${name}=${value.replace(/[\r\n]+/g, " ")}\n`);
}

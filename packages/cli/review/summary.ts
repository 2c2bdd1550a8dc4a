import * as v from "valibot";
import { CliError } from "@store/docker/cliError";
import { count, text } from "./model/fields";
import { reviewModel } from "./model/reviewModel";

/** Version of the summary's format. A reader refuses any other one. */
export const SUMMARY_SCHEMA = 1;

/** Limit of {@link Summary.markdown} in UTF-16 code units. GitHub refuses a comment of more than 65,536 characters. */
export const MARKDOWN_LIMIT = 60_000;

/** Limit of {@link Summary.full}. GitHub refuses a job summary of more than 1 MiB. */
export const FULL_LIMIT = 500_000;

/** Results of a review, the worst one first. A review has the first one that applies. */
export const VERDICTS = [
  "data at risk",
  "policy violated",
  "refused",
  "opens to the network",
  "virtual machine replaced",
  "changes",
  "unchanged",
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** Schema of the output of `./store preview --json`. All texts are safe to publish: they contain no secrets. */
const summarySchema = v.strictObject({
  schema: v.literal(SUMMARY_SCHEMA),
  stack: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,100}$/)),
  verdict: v.picklist(VERDICTS),
  /** Label for the pull request, for example "staging: data at risk". At most 50 characters. */
  label: text(50),
  /** The verdict in one line of plain text. */
  title: text(300),
  /** Commit status. */
  status: v.strictObject({
    /** One status per stack: "store/preview (staging)". */
    context: text(150),
    state: v.picklist(["success", "failure"]),
    description: text(140),
  }),
  /** Exit code of `./store preview`: 0 no danger, 1 refused or policy violated, 3 a second person should look. */
  exitCode: v.picklist([0, 1, 3]),
  /** True if an `up` would change something, or the preview was refused. */
  changed: v.boolean(),
  /** Hash of the body. Equal reviews have equal hashes. */
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  /** The comment: its marker in the first line, then the body. */
  markdown: text(MARKDOWN_LIMIT),
  /** The comment without the limit of a comment's length. */
  full: text(FULL_LIMIT),
  /** Number of steps that {@link full} has and {@link markdown} doesn't. */
  cut: count,
  /** The data from which the texts are made. */
  review: reviewModel,
});

export type Summary = v.InferOutput<typeof summarySchema>;

/** The labels that a stack's reviews may have. A pull request has at most one of them. */
export function labelsOf(stack: string): string[] {
  return VERDICTS.map((verdict) => labelOf(stack, verdict));
}

/** Returns the label of a verdict. A long stack name is cut, because GitHub refuses labels of more than 50 characters. */
export function labelOf(stack: string, verdict: Verdict): string {
  return `${stack.slice(0, 50 - verdict.length - 2)}: ${verdict}`;
}

/** Returns the first line of a comment, by which a stack's comment is found and compared. */
export function markerOf(stack: string, hash: string): string {
  return `<!-- store:preview stack=${stack} hash=${hash} schema=${SUMMARY_SCHEMA} -->`;
}

/** Reads the marker of a comment; undefined if the comment isn't a review. */
export function readMarker(
  comment: string,
): { readonly stack: string; readonly hash: string } | undefined {
  const match =
    /^<!-- store:preview stack=([A-Za-z0-9_.-]{1,100}) hash=([0-9a-f]{16}) schema=\d+ -->/.exec(
      comment,
    );
  const [, stack, hash] = match ?? [];
  return stack === undefined || hash === undefined ? undefined : { stack, hash };
}

/**
 * Parses a summary.
 *
 * @param json Output of `./store preview --json`.
 * @param source Name of the text for messages, for example its file.
 * @throws CliError if it is something else, or has another version of the format.
 */
export function parseSummary(json: string, source: string): Summary {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalidSummary(source, "it isn't JSON");
  }
  const version = (value as { schema?: unknown } | null)?.schema;
  if (typeof version === "number" && version !== SUMMARY_SCHEMA) {
    throw invalidSummary(source, `its schema is ${version}, this version reads ${SUMMARY_SCHEMA}`);
  }
  const result = v.safeParse(summarySchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalidSummary(source, `${v.getDotPath(issue) ?? "its content"} is wrong`);
}

function invalidSummary(source: string, reason: string): CliError {
  return new CliError(`${source} is not the summary of a preview: ${reason}.`, {
    hint: "Make it with this version of the command: ./store preview STACK --json > FILE",
  });
}

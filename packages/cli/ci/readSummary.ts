import { readFileSync, statSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { parseSummary, type Summary } from "../review/summary";

/** Limit of a summary's file in bytes. */
const FILE_LIMIT = 4 * 1024 * 1024;

/** Reads a file made by `./store preview --json`. @throws CliError if it is something else */
export function readSummary(file: string): Summary {
  const text = readText(file);
  if (text.trim() === "") {
    throw new CliError(`${file} is empty: the preview ended before it had a result.`, {
      hint: "The log of the step before says why.",
    });
  }
  return parseSummary(text, file);
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= FILE_LIMIT) return readFileSync(file, "utf8");
    throw new CliError(`${file} has ${size} bytes, more than a summary has (${FILE_LIMIT}).`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`The summary of the preview can't be read: ${messageOf(error)}.`, {
      hint: "Make it first: ./store ci preview STACK --output FILE",
    });
  }
}

/**
 * Reads the summary that a fork's run has made. Its author controls every character, so its texts aren't used: they are made anew
 * from its facts, which are checked against the schema, and escaped. A fork's run knows only the checkouts.
 *
 * @param render Makes the summary of a review.
 * @throws CliError
 */
export function readForkSummary(
  file: string,
  render: (review: Summary["review"]) => Summary,
): Summary {
  const { review, stack } = readSummary(file);
  // The stack's name goes into the marker, and must be the one that the schema has checked.
  if (review.scope === "checkout" && review.stack === stack) return render(review);
  throw new CliError(
    `${file} comes from a fork and is not published: it claims to know the stack's state.`,
    {
      hint: "A maintainer can push the branch to this repository, which previews it with the stack's state.",
    },
  );
}

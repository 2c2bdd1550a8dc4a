import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";

/** The fields of octokit's RequestError that a message needs. */
export interface ApiFailure {
  /** Status of the response. 500 also if there was none. */
  readonly status: number;
  readonly message: string;
  readonly response?: { readonly headers: Readonly<Record<string, string | number | undefined>> };
}

/** Returns the failure of a call; undefined for an error that isn't one. */
export function apiFailure(error: unknown): ApiFailure | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "number"
    ? (error as Error & ApiFailure)
    : undefined;
}

/** Returns true if the call may have taken effect although it failed: no answer, or an error of a proxy. */
export function isUnknownOutcome(error: unknown): boolean {
  return (apiFailure(error)?.status ?? 0) >= 500;
}

/**
 * Turns the failure of a call into a message with a remedy.
 *
 * @param action Continues the message "Can't ...", for example "comment on pull request 7".
 * @param apiUrl Address of the API, without a slash at the end.
 */
export function githubError(error: unknown, action: string, apiUrl: string): CliError {
  const failure = apiFailure(error);
  if (failure === undefined) {
    if (error instanceof CliError) return error;
    // GraphQL answers with status 200 and a list of errors.
    if (error instanceof Error && error.name === "GraphqlResponseError") {
      return new CliError(`Can't ${action}: ${error.message.split("\n").join(" ")}`, {
        hint: "Check the job's `permissions:` against those of .github/workflows.",
        cause: error,
      });
    }
    throw error;
  }
  const { reason, hint } = diagnose(failure, apiUrl);
  return new CliError(`Can't ${action}: ${reason}.`, { hint, cause: error });
}

function diagnose(failure: ApiFailure, apiUrl: string): { reason: string; hint: string } {
  const { status, response } = failure;
  const headers = response?.headers ?? {};
  if (response === undefined) {
    return {
      reason: `${apiUrl} doesn't answer (${messageOf(failure)})`,
      hint: "Run the job again. If it happens again, check GitHub's status (https://www.githubstatus.com) and the runner's network.",
    };
  }
  if (status === 401) {
    return {
      reason: "GitHub refuses the token (401)",
      hint: "Pass the job's own token: env: {GITHUB_TOKEN: ${{ github.token }}}. A personal token may have expired.",
    };
  }
  if (isRateLimit(status, headers)) return rateLimit(headers);
  if (status === 403) return forbidden(headers);
  if (status === 404) {
    return {
      reason: "GitHub finds no such thing, or hides it from this token (404)",
      hint: "Check that the pull request exists, and that the job's `permissions:` are those of .github/workflows.",
    };
  }
  if (status === 422) {
    return {
      reason: `GitHub refuses the content (422): ${failure.message}`,
      hint: "That is a bug in this command. Report it together with the summary's file.",
    };
  }
  return {
    reason: `GitHub answers with status ${status}: ${failure.message}`,
    hint: "Run the job again. If it happens again, check GitHub's status: https://www.githubstatus.com",
  };
}

type Headers = Readonly<Record<string, string | number | undefined>>;

/** @see https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
function isRateLimit(status: number, headers: Headers): boolean {
  if (status === 429) return true;
  return (
    status === 403 &&
    (String(headers["x-ratelimit-remaining"]) === "0" || headers["retry-after"] !== undefined)
  );
}

function rateLimit(headers: Headers): { reason: string; hint: string } {
  const seconds = Number(headers["retry-after"] ?? NaN);
  const reset = Number(headers["x-ratelimit-reset"] ?? NaN) * 1000;
  const until = Number.isFinite(seconds)
    ? `in ${seconds} s`
    : Number.isFinite(reset)
      ? `after ${new Date(reset).toISOString()}`
      : "in some minutes";
  return {
    reason: "the rate limit of GitHub's API is used up",
    hint: `Run the job again ${until}. Nothing is posted twice.`,
  };
}

function forbidden(headers: Headers): { reason: string; hint: string } {
  // GitHub names the rights that would do, for example "issues=write; pull_requests=write".
  const accepted = headers["x-accepted-github-permissions"];
  const rights = accepted === undefined ? "" : ` It needs: ${accepted}.`;
  return {
    reason: "the token lacks the right (403)",
    hint:
      `Give it to the job under \`permissions:\`.${rights} A pull request from a fork always has a read-only token: ` +
      "its review is posted by the workflow Publish.",
  };
}

import { readFileSync } from "node:fs";
import * as v from "valibot";
import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";

/** A run of a GitHub Actions workflow, as its environment describes it. */
export interface WorkflowRun {
  readonly owner: string;
  readonly repo: string;
  /** Base address of GitHub's API, without a slash at the end. */
  readonly apiUrl: string;
  /** Token of the run. @default none */
  readonly token?: string;
  /** Event that started the run, for example "pull_request". */
  readonly event: string;
  /** Payload of the event. */
  readonly payload: EventPayload;
  /** Commit of the run. For a pull request, GitHub's test merge. */
  readonly sha: string;
  /** Page of the run. @default none */
  readonly url?: string;
}

const commit = v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/));
const person = v.object({ id: v.number(), login: v.string() });
const repository = v.object({ full_name: v.string(), owner: v.object({ login: v.string() }) });

/** The fields of an event's payload that the commands read. */
const eventPayload = v.object({
  action: v.optional(v.string()),
  pull_request: v.optional(
    v.object({
      number: v.number(),
      user: v.nullish(person),
      head: v.object({ sha: commit, ref: v.string(), repo: v.nullish(repository) }),
    }),
  ),
  workflow_run: v.optional(
    v.object({
      head_sha: commit,
      head_branch: v.nullish(v.string()),
      head_repository: v.nullish(repository),
    }),
  ),
});

export type EventPayload = v.InferOutput<typeof eventPayload>;

/**
 * Reads the run from the variables that GitHub sets.
 *
 * @see https://docs.github.com/actions/reference/workflows-and-actions/variables
 * @throws CliError if the command doesn't run in a workflow.
 */
export function readWorkflowRun(env: NodeJS.ProcessEnv = process.env): WorkflowRun {
  const [owner, repo] = required(env, "GITHUB_REPOSITORY").split("/");
  if (!owner || !repo) throw notInWorkflow("GITHUB_REPOSITORY isn't OWNER/NAME");
  const url = [env["GITHUB_SERVER_URL"], owner, repo, "actions/runs", env["GITHUB_RUN_ID"]];
  return {
    owner,
    repo,
    apiUrl: (env["GITHUB_API_URL"] || "https://api.github.com").replace(/\/+$/, ""),
    token: env["GITHUB_TOKEN"] || undefined,
    event: required(env, "GITHUB_EVENT_NAME"),
    payload: readPayload(required(env, "GITHUB_EVENT_PATH")),
    sha: required(env, "GITHUB_SHA"),
    url: url.every(Boolean) ? url.join("/") : undefined,
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) throw notInWorkflow(`${name} isn't set`);
  return value;
}

function readPayload(file: string): EventPayload {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw notInWorkflow(`GITHUB_EVENT_PATH can't be read: ${messageOf(error)}`);
  }
  const result = v.safeParse(eventPayload, value);
  if (result.success) return result.output;
  const place = v.getDotPath(result.issues[0]) ?? "the payload";
  throw notInWorkflow(`${place} of the event in GITHUB_EVENT_PATH is wrong`);
}

function notInWorkflow(reason: string): CliError {
  return new CliError(`This command runs in a GitHub Actions workflow: ${reason}.`, {
    hint: "The workflows in .github/workflows run it. ./store preview STACK --markdown prints the same text here.",
  });
}

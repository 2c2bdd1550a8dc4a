/** SUBSTITUTE for GitHub, for tests: its content. */

export type Right = "issues:write" | "pull_requests:write" | "statuses:write" | "read";

export interface Account {
  readonly id: number;
  readonly login: string;
}

export interface IssueComment {
  readonly id: number;
  readonly issue: number;
  readonly user: Account;
  body: string;
}

export interface PullRequestState {
  readonly number: number;
  state: "open" | "closed";
  merged_at: string | null;
  merge_commit_sha?: string;
  readonly user: Account;
  readonly head: {
    readonly sha: string;
    readonly ref: string;
    readonly label: string;
  };
}

export interface Status {
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string;
  readonly target_url?: string;
}

/** A call that GitHub refuses. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Account of a workflow's token. */
export const ACTIONS: Account = { id: 41898282, login: "github-actions[bot]" };
export const AUTHOR: Account = { id: 7, login: "author" };
export const REVIEWER: Account = { id: 8, login: "reviewer" };

export const ALL_RIGHTS: readonly Right[] = [
  "issues:write",
  "pull_requests:write",
  "statuses:write",
  "read",
];

export class GitHubState {
  readonly repository = "acme/store";
  readonly tokens = new Map<string, { account: Account; rights: readonly Right[] }>([
    ["job-token", { account: ACTIONS, rights: ALL_RIGHTS }],
    ["fork-token", { account: ACTIONS, rights: ["read"] }],
  ]);
  readonly comments: IssueComment[] = [];
  readonly pullRequests: PullRequestState[] = [];
  /** Labels by pull request. */
  readonly labels = new Map<number, string[]>();
  readonly labelEvents: { issue: number; label: string; actor: Account }[] = [];
  readonly statuses: Status[] = [];
  private lastId = 1000;

  comment(issue: number, user: Account, body: string): IssueComment {
    const comment = { id: ++this.lastId, issue, user, body };
    this.comments.push(comment);
    return comment;
  }

  label(issue: number, label: string, actor: Account): void {
    this.labels.set(issue, [...(this.labels.get(issue) ?? []), label]);
    this.labelEvents.push({ issue, label, actor });
  }

  pullRequest(number: number, sha: string, label = "acme:change"): PullRequestState {
    const [, ref = ""] = label.split(":");
    const created: PullRequestState = {
      number,
      state: "open",
      merged_at: null,
      user: AUTHOR,
      head: { sha, ref, label },
    };
    this.pullRequests.push(created);
    return created;
  }
}

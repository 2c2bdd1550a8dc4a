import assert from "node:assert/strict";
import type { CliError } from "@store/docker/cliError";
import { publishComment } from "@store/cli/ci/github/comment";
import { GitHub } from "@store/cli/ci/github/github";
import { publishReview } from "@store/cli/ci/publish";
import type { PullRequest } from "@store/cli/ci/github/pullRequest";
import { findPullRequest } from "@store/cli/ci/github/pullRequest";
import type { EventPayload, WorkflowRun } from "@store/cli/ci/workflowRun";
import { GitHubApi } from "./github/api";
import { ACTIONS, AUTHOR, GitHubState, REVIEWER } from "./github/state";
import { summaryOf } from "./summaries";

const SHA = "a".repeat(40);
const PULL: PullRequest = { number: 7, headSha: SHA, author: AUTHOR.id };

describe("a review on a pull request", () => {
  let api: GitHubApi;
  let apiUrl: string;

  beforeEach(async () => {
    api = new GitHubApi(new GitHubState());
    apiUrl = await api.start();
  });
  afterEach(() => api.stop());

  const run = (options: Partial<WorkflowRun> = {}): WorkflowRun => ({
    owner: "acme",
    repo: "store",
    apiUrl,
    token: "job-token",
    event: "pull_request",
    payload: {},
    sha: SHA,
    ...options,
  });
  const connect = (options: Partial<WorkflowRun> = {}) => GitHub.connect(run(options), 1);
  const bodies = (): string[] => api.state.comments.map(({ body }) => body);

  it("is one comment per stack, edited only if the summary's hash changes", async () => {
    const github = await connect();
    const first = summaryOf("changes", { text: "1 service" });
    assert.equal(await publishComment(github, 7, first), "created");
    assert.equal(await publishComment(github, 7, first), "unchanged");
    const second = summaryOf("changes", { text: "2 services" });
    assert.equal(await publishComment(github, 7, second), "updated");
    const other = summaryOf("changes", { stack: "dev" });
    assert.equal(await publishComment(github, 7, other), "created");
    assert.deepEqual(bodies(), [second.markdown, other.markdown]);
    assert.deepEqual(
      api.writes.map((call) => call.split(" ")[0]),
      ["POST", "PATCH", "POST"],
    );
  });

  it("is found behind hundreds of other comments", async () => {
    const mine = api.state.comment(7, ACTIONS, summaryOf("changes").markdown);
    for (let n = 0; n < 250; n++) api.state.comment(7, REVIEWER, "looks good");
    // A later ID, and the last page.
    const other = api.state.comment(7, ACTIONS, summaryOf("changes", { stack: "dev" }).markdown);
    const github = await connect();
    const next = summaryOf("changes", { stack: "dev", text: "more" });
    assert.equal(await publishComment(github, 7, next), "updated");
    assert.equal(other.body, next.markdown);
    assert.equal(mine.body, summaryOf("changes").markdown);
  });

  it("is not posted if nothing changes, and becomes one line if nothing changes any more", async () => {
    const github = await connect();
    assert.equal(await publishComment(github, 7, summaryOf("unchanged")), "none");
    assert.deepEqual(bodies(), []);
    await publishComment(github, 7, summaryOf("changes"));
    assert.equal(await publishComment(github, 7, summaryOf("unchanged")), "updated");
    assert.deepEqual(bodies(), [summaryOf("unchanged").markdown]);
  });

  it("leaves a comment of somebody else alone that has the marker", async () => {
    const fake = api.state.comment(7, AUTHOR, summaryOf("unchanged").markdown);
    const github = await connect();
    assert.equal(await publishComment(github, 7, summaryOf("data at risk")), "created");
    assert.equal(fake.body, summaryOf("unchanged").markdown);
    assert.equal(bodies()[1], summaryOf("data at risk").markdown);
  });

  it("is posted anew if the comment is deleted between the look and the edit", async () => {
    const github = await connect();
    await publishComment(github, 7, summaryOf("changes"));
    api.beforeCall = ({ method }) => {
      if (method === "PATCH") api.state.comments.length = 0;
    };
    const next = summaryOf("changes", { text: "more" });
    assert.equal(await publishComment(github, 7, next), "created");
    assert.deepEqual(bodies(), [next.markdown]);
  });

  it("is posted once if the answer to the post is lost", async () => {
    const path = /\/comments$/;
    api.faults.push({ method: "POST", path, status: 502, takesEffect: true });
    const github = await connect();
    assert.equal(await publishComment(github, 7, summaryOf("changes")), "created");
    assert.equal(bodies().length, 1);
    api.faults.push({ method: "POST", path, status: 502 });
    await publishComment(github, 7, summaryOf("changes", { stack: "dev" }));
    assert.equal(bodies().length, 2);
  });

  it("is one comment after two runs that found none at the same time", async () => {
    const [old, now] = [
      summaryOf("changes", { text: "old" }),
      summaryOf("changes", { text: "new" }),
    ];
    let other: Promise<unknown> | undefined;
    api.beforeCall = async ({ method, path }) => {
      if (method !== "POST" || !path.endsWith("/comments") || other) return;
      other = connect().then((github) => publishComment(github, 7, old));
      await other;
    };
    await publishComment(await connect(), 7, now);
    assert.deepEqual(bodies(), [now.markdown]);
  });

  it("sets the label of a danger, and removes it when the danger is gone", async () => {
    const github = await connect();
    api.state.label(7, "bug", AUTHOR);
    await publishReview(github, PULL, summaryOf("data at risk"), undefined);
    assert.deepEqual(api.state.labels.get(7), ["bug", "staging: data at risk"]);
    await publishReview(github, PULL, summaryOf("changes"), undefined);
    assert.deepEqual(api.state.labels.get(7), ["bug"]);
  });

  it("fails the status of a danger until somebody else than the author accepts it", async () => {
    const github = await connect();
    const danger = summaryOf("data at risk");
    const publish = async (summary = danger) => {
      await publishReview(github, PULL, summary, "https://example.test/run");
      return api.state.statuses.at(-1);
    };
    assert.equal((await publish())?.state, "failure");
    api.state.label(7, "staging: accepted", AUTHOR);
    assert.equal((await publish())?.state, "failure", "the author accepts");
    api.state.label(7, "staging: accepted", REVIEWER);
    const accepted = await publish();
    assert.equal(accepted?.state, "success");
    assert.match(accepted.description, /Accepted by reviewer/);
    assert.deepEqual([accepted.sha, accepted.target_url], [SHA, "https://example.test/run"]);

    const worse = summaryOf("data at risk", { text: "two volumes" });
    assert.equal((await publish(worse))?.state, "failure", "another danger");
    assert.ok(!api.state.labels.get(7)?.includes("staging: accepted"));
  });

  it("finds a fork's pull request by the head commit alone", async () => {
    api.state.pullRequest(8, SHA, "stranger:patch");
    api.state.pullRequest(9, "b".repeat(40), "stranger:patch");
    const origin = (sha: string, branch: string | null): EventPayload => ({
      workflow_run: {
        head_sha: sha,
        head_branch: branch,
        head_repository: { full_name: "stranger/store", owner: { login: "stranger" } },
      },
    });
    const find = async (sha: string, branch: string | null) => {
      const workflowRun = run({ event: "workflow_run", payload: origin(sha, branch) });
      return (await findPullRequest(await GitHub.connect(workflowRun), workflowRun))?.number;
    };
    assert.equal(await find(SHA, "patch"), 8);
    assert.equal(await find("c".repeat(40), "patch"), undefined, "pushed to meanwhile");
    assert.equal(await find(SHA, null), undefined, "the branch is deleted");
  });

  describe("refused by GitHub", () => {
    const reset = String(Date.UTC(2030, 0, 1) / 1000);
    const refusals: readonly {
      readonly title: string;
      readonly token?: string;
      readonly fault?: {
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
      };
      readonly markdown?: string;
      readonly expected: RegExp;
    }[] = [
      { title: "no token", token: "", expected: /GITHUB_TOKEN isn't set.*github\.token/s },
      { title: "an unknown token", token: "expired", expected: /refuses the token \(401\)/ },
      {
        title: "a token without rights",
        token: "fork-token",
        expected: /lacks the right \(403\).*issues=write; pull_requests=write.*fork/s,
      },
      {
        title: "the rate limit",
        fault: {
          status: 403,
          headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset },
        },
        expected: /rate limit.*after 2030-01-01T00:00:00/s,
      },
      {
        title: "the secondary rate limit",
        fault: { status: 429, headers: { "retry-after": "60" } },
        expected: /rate limit.*in 60 s/s,
      },
      {
        title: "a body over the limit",
        markdown: "x".repeat(65_537),
        expected: /body is too long/,
      },
    ];
    for (const { title, token = "job-token", fault, markdown, expected } of refusals) {
      it(`has one message with a remedy: ${title}`, async () => {
        if (fault) api.faults.push({ method: "POST", path: /\/comments$/, ...fault });
        const summary = summaryOf("changes");
        const attempt = async (): Promise<void> => {
          const github = await connect({ token: token === "" ? undefined : token });
          await publishComment(github, 7, { ...summary, markdown: markdown ?? summary.markdown });
        };
        await assert.rejects(attempt, ({ summary: what, hint }: CliError) => {
          assert.match(`${what} ${hint ?? ""}`, expected);
          assert.ok(hint);
          return true;
        });
        assert.deepEqual(bodies(), []);
      });
    }

    it("has one message with a remedy: no answer", async () => {
      const github = await connect();
      await api.stop();
      await assert.rejects(publishComment(github, 7, summaryOf("changes")), /doesn't answer/);
    });
  });
});

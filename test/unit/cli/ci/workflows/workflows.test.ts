import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GitHubApi } from "../github/api";
import { ACTIONS, AUTHOR, GitHubState, REVIEWER, type Right } from "../github/state";
import { summaryOf } from "../summaries";
import { Checkout } from "./checkout";
import { rightsOf, runJob, type JobResult, type Trigger } from "./runJob";

const HEAD = "a".repeat(40);
const MAIN = "b".repeat(40);
const VARS = {
  AZURE_CLIENT_ID: "deploy",
  AZURE_PREVIEW_CLIENT_ID: "preview",
  AZURE_TENANT_ID: "tenant",
  AZURE_SUBSCRIPTION_ID: "subscription",
  STORE_STATE: "azblob://state?storage_account=acme",
  STORE_ENVIRONMENTS: "true",
};

describe("the workflows, step by step", () => {
  let checkout: Checkout;
  let api: GitHubApi;
  let apiUrl: string;

  before(() => (checkout = new Checkout()));
  after(() => checkout.remove());
  beforeEach(async () => {
    api = new GitHubApi(new GitHubState());
    apiUrl = await api.start();
    checkout.prepare("url", "http://203.0.113.7\n");
  });
  afterEach(async () => {
    await api.stop();
    checkout.takeCalls();
    rmSync(join(checkout.folder, "summary.json"), { force: true });
  });

  /** Runs a job with a token that has the rights of the job's `permissions:`. */
  const run = (workflow: string, job: string, trigger: Trigger): Promise<JobResult> => {
    const rights = rightsOf([workflow, job]) as Right[];
    api.state.tokens.set("job-token", { account: ACTIONS, rights });
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      CI: "true",
      GITHUB_REPOSITORY: "acme/store",
      GITHUB_SHA: MAIN,
      GITHUB_API_URL: apiUrl,
      STORE_SUBSTITUTE: checkout.prepared,
      RUNNER_TEMP: join(checkout.folder, ".store"),
    };
    return runJob([workflow, job], { vars: VARS, ...trigger }, checkout.folder, env);
  };
  const pullRequest = (
    options: { from?: string; action?: string; label?: string } = {},
  ): Trigger => {
    const { from = "acme", action = "synchronize", label } = options;
    return {
      event: "pull_request",
      matrix: { stack: "staging" },
      payload: {
        action,
        ...(label !== undefined && { label: { name: label } }),
        pull_request: {
          number: 7,
          user: AUTHOR,
          labels: [{ name: "environment" }],
          head: {
            sha: HEAD,
            ref: "change",
            repo: { full_name: `${from}/store`, owner: { login: from } },
          },
        },
      },
    };
  };

  it("Preview publishes the review of the repository's own branch", async () => {
    const review = summaryOf("data at risk");
    checkout.prepare("preview", JSON.stringify(review), 3);
    const { exitCode, output, summary } = await run("preview.yml", "stack", pullRequest());
    assert.equal(exitCode, 0, output);
    assert.match(
      checkout.takeCalls().join("\n"),
      /^preview staging --json\npreview staging --json --base \S+$/,
    );
    assert.equal(api.state.comments[0]?.body, review.markdown);
    assert.deepEqual(api.state.labels.get(7), ["staging: data at risk"]);
    assert.deepEqual(api.state.statuses[0]?.state, "failure");
    assert.equal(summary.trim(), review.full.trim());
  });

  it("Preview ends red for a refused preview, and shows it", async () => {
    checkout.prepare("preview", JSON.stringify(summaryOf("refused")), 1);
    const { exitCode, steps } = await run("preview.yml", "stack", pullRequest());
    assert.equal(exitCode, 1);
    assert.match(api.state.comments[0]?.body ?? "", /refused/);
    assert.match(steps.at(-1) ?? "", /upload-artifact/, "the full text is an artifact");
  });

  it("Preview ends red without a comment if there is no result, as under a deploy's lock", async () => {
    checkout.prepare("preview", "", 1);
    const { exitCode, output } = await run("preview.yml", "stack", pullRequest());
    assert.equal(exitCode, 1);
    assert.match(output, /ended without a result/);
    assert.deepEqual(api.writes, []);
  });

  it("says what is missing if Azure isn't set up", async () => {
    const { exitCode, output, steps } = await run("preview.yml", "stack", {
      ...pullRequest(),
      vars: {},
    });
    assert.equal(exitCode, 1);
    assert.match(output, /AZURE_CLIENT_ID.*STORE_STATE|STORE_STATE.*AZURE_CLIENT_ID/s);
    assert.match(output, /\.\/store ci setup --apply/);
    assert.ok(!steps.some((step) => step.startsWith("Azure/login")));
  });

  it("Preview runs again for the label that accepts a danger, and for no other", async () => {
    const skipped = await run(
      "preview.yml",
      "stack",
      pullRequest({ action: "labeled", label: "bug" }),
    );
    assert.deepEqual(skipped.steps, []);
    const review = summaryOf("data at risk");
    checkout.prepare("preview", JSON.stringify(review), 3);
    api.state.comment(7, ACTIONS, review.markdown);
    api.state.label(7, "staging: accepted", REVIEWER);
    await run(
      "preview.yml",
      "stack",
      pullRequest({ action: "labeled", label: "staging: accepted" }),
    );
    assert.equal(api.state.statuses[0]?.state, "success");
  });

  it("Publish posts a fork's comparison, made anew from its facts, without label and status", async () => {
    const own = await run("preview.yml", "stack", pullRequest({ from: "stranger" }));
    assert.deepEqual(own.steps, [], "a fork's code doesn't run with the stack's state");
    const facts = { ...summaryOf("unchanged", { scope: "checkout" }), markdown: "# buy this" };
    checkout.prepare("preview", JSON.stringify(facts));
    const fork = await run("preview.yml", "fork", pullRequest({ from: "stranger" }));
    assert.equal(fork.exitCode, 0, fork.output);
    assert.match(
      checkout.takeCalls().at(-1) ?? "",
      /^preview staging --json --checkout-only --base /,
    );
    assert.ok(!fork.steps.some((step) => step.startsWith("Azure/login")));

    // An existing comment shows that the text isn't the file's.
    const comment = api.state.comment(7, ACTIONS, summaryOf("changes").markdown);
    api.state.pullRequest(7, HEAD, "stranger:change");
    const artifact = join(checkout.folder, ".store", "fork");
    mkdirSync(artifact, { recursive: true });
    writeFileSync(join(artifact, "summary.json"), JSON.stringify(facts));
    const published = await run("publish.yml", "publish", workflowRun());
    assert.equal(published.exitCode, 0, published.output);
    assert.match(comment.body, /^<!-- store:preview stack=staging/);
    assert.doesNotMatch(comment.body, /buy this/);
    assert.deepEqual([api.state.statuses.length, api.state.labels.size], [0, 0]);

    writeFileSync(join(artifact, "summary.json"), JSON.stringify(summaryOf("changes")));
    const refused = await run("publish.yml", "publish", workflowRun());
    assert.equal(refused.exitCode, 1);
    assert.match(refused.output, /comes from a fork and is not published/);
  });

  it("Deploy brings staging up, says that it is as reviewed, and names the URL", async () => {
    const review = summaryOf("data at risk");
    checkout.prepare("preview", JSON.stringify(review), 3);
    api.state.pullRequest(7, HEAD).merged_at = "2026-11-28T00:00:00Z";
    for (const pull of api.state.pullRequests) pull.merge_commit_sha = MAIN;
    api.state.comment(7, ACTIONS, review.markdown);
    const push = { event: "push", payload: {} };
    const { exitCode, output, summary, url } = await run("deploy.yml", "staging", push);
    assert.equal(exitCode, 0, output);
    assert.match(summary, /\*\*as reviewed\*\* in #7/);
    assert.deepEqual(checkout.takeCalls().slice(-2), ["up staging --yes", "url staging"]);
    assert.equal(url, "http://203.0.113.7");
  });

  it("Deploy refuses a danger that differs from the review, unless it is accepted by hand", async () => {
    checkout.prepare("preview", JSON.stringify(summaryOf("data at risk", { text: "now" })), 3);
    const push = { event: "push", payload: {} };
    const refused = await run("deploy.yml", "staging", push);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.output, /Not deploying what nobody has reviewed.*`unreviewed`/s);
    assert.ok(!checkout.takeCalls().some((call) => call.startsWith("up ")));
    const byHand = { ...push, event: "workflow_dispatch", inputs: { unreviewed: true } };
    assert.equal((await run("deploy.yml", "staging", byHand)).exitCode, 0);
  });

  it("Teardown takes staging down at night unless it is kept, or for the right answer", async () => {
    checkout.prepare("down", "Stack staging is down. Its data is kept: data.\n");
    const night = await run("teardown.yml", "staging", { event: "schedule", payload: {} });
    assert.equal(night.exitCode, 0, night.output);
    assert.deepEqual(checkout.takeCalls(), ["down staging --yes"]);
    assert.match(night.summary, /Its data is kept: data/);
    const file = join(checkout.folder, "Pulumi.staging.yaml");
    const config = readFileSync(file, "utf8");
    writeFileSync(file, config.replace("config:", "config:\n  store:keep: true"));
    const kept = await run("teardown.yml", "staging", { event: "schedule", payload: {} });
    writeFileSync(file, config);
    assert.equal(kept.exitCode, 0, kept.output);
    assert.deepEqual(checkout.takeCalls(), []);
    assert.match(kept.summary, /stays up: store:keep is true/);

    const byHand = (inputs: object): Promise<JobResult> =>
      run("teardown.yml", "staging", {
        event: "workflow_dispatch",
        payload: {},
        inputs: inputs as Record<string, unknown>,
      });
    const wrong = await byHand({ confirm: "yes", volumes: true });
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.output, /the answer is "yes", not the stack's name/);
    assert.deepEqual(checkout.takeCalls(), []);
    await byHand({ confirm: "staging", volumes: true });
    assert.deepEqual(checkout.takeCalls(), ["down staging --yes --volumes"]);
  });

  it("Start starts staging by hand, and in the morning only if the repository wants it", async () => {
    const byHand = await run("start.yml", "staging", { event: "workflow_dispatch", payload: {} });
    assert.equal(byHand.exitCode, 0, byHand.output);
    assert.deepEqual(checkout.takeCalls(), ["start staging"]);
    const morning = { event: "schedule", payload: {} };
    assert.deepEqual((await run("start.yml", "staging", morning)).steps, []);
    const vars = { ...VARS, STORE_MORNING_START: "true" };
    await run("start.yml", "staging", { ...morning, vars });
    assert.deepEqual(checkout.takeCalls(), ["start staging"]);
    checkout.prepare("start", "", 1);
    const failed = await run("start.yml", "staging", { ...morning, vars });
    assert.equal(failed.exitCode, 1);
  });

  it("Environment gives a pull request a stack of its own, and removes it", async () => {
    const up = await run("environment.yml", "up", pullRequest());
    assert.equal(up.exitCode, 0, up.output);
    assert.deepEqual(checkout.takeCalls(), ["up pr-7 --yes", "url pr-7"]);
    assert.equal(up.url, "http://203.0.113.7");
    const closed = pullRequest({ action: "closed" });
    assert.deepEqual((await run("environment.yml", "up", closed)).steps, []);
    const down = await run("environment.yml", "down", closed);
    assert.equal(down.exitCode, 0, down.output);
    const removal = ["down pr-7 --yes --volumes", "pulumi stack rm --yes -s pr-7"];
    assert.deepEqual(checkout.takeCalls(), removal);

    const recent = new Date().toISOString();
    const stacks = [
      { name: "staging", lastUpdate: recent },
      { name: "pr-7", lastUpdate: recent },
      { name: "pr-8", lastUpdate: recent },
      { name: "pr-9", lastUpdate: "2026-01-01T00:00:00Z" },
    ];
    checkout.prepare("pulumi", JSON.stringify(stacks));
    api.state.pullRequest(7, HEAD);
    api.state.pullRequest(8, HEAD).state = "closed";
    api.state.pullRequest(9, HEAD);
    const night = await run("teardown.yml", "environments", { event: "schedule", payload: {} });
    assert.equal(night.exitCode, 0, night.output);
    const removed = checkout.takeCalls().filter((call) => call.startsWith("down "));
    assert.deepEqual(removed, ["down pr-8 --yes --volumes", "down pr-9 --yes --volumes"]);
  });
});

function workflowRun(): Trigger {
  return {
    event: "workflow_run",
    payload: {
      workflow_run: {
        event: "pull_request",
        conclusion: "success",
        head_sha: HEAD,
        head_branch: "change",
        head_repository: { full_name: "stranger/store", owner: { login: "stranger" } },
      },
    },
  };
}

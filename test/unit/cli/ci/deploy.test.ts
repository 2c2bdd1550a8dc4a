import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { compareReviews } from "@store/cli/ci/compareReviews";
import {
  environmentConfig,
  parseEnvironments,
  writeEnvironmentConfig,
} from "@store/cli/ci/environments";
import { addJobSummary, cutToBytes, setOutput } from "@store/cli/ci/jobSummary";
import { missingVariables } from "@store/cli/ci/oidc";
import { readSummary } from "@store/cli/ci/readSummary";
import { readWorkflowRun } from "@store/cli/ci/workflowRun";
import { summaryOf } from "./summaries";

describe("a deploy's comparison with the review", () => {
  const summary = summaryOf("changes", { text: "2 services" });
  const commentOf = (text: string) => {
    const { hash, markdown: body } = summaryOf("changes", { text });
    return { hash, body };
  };

  it("is as reviewed if the hash is the comment's", () => {
    const { asReviewed, text } = compareReviews(summary, 7, commentOf("2 services"));
    assert.ok(asReviewed);
    assert.match(text, /\*\*as reviewed\*\* in #7/);
  });

  it("lists the lines that differ, without the marker", () => {
    const { asReviewed, text } = compareReviews(summary, 7, commentOf("1 service"));
    assert.ok(!asReviewed);
    assert.match(text, /^- ### `staging`: 1 service\n\+ ### `staging`: 2 services$/m);
    assert.doesNotMatch(text, /<!--/);
  });

  it("is not reviewed after a direct push, or without a comment", () => {
    assert.match(compareReviews(summary, undefined, undefined).text, /no pull request/);
    assert.match(compareReviews(summary, 7, undefined).text, /#7 has no preview/);
    const unchanged = compareReviews(summaryOf("unchanged"), undefined, undefined);
    assert.ok(unchanged.asReviewed);
  });
});

describe("a job's files", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-job-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("get no more than GitHub takes: 1 MiB per step, at the end of a line", () => {
    const file = join(folder, "summary");
    addJobSummary("first", file);
    addJobSummary("é\n".repeat(600_000), file);
    const content = readFileSync(file, "utf8");
    assert.ok(Buffer.byteLength(content) <= 1024 * 1024);
    assert.match(content, /^first\n\né\n[^]*é\n\n\*\*Cut here\*\*/);
    assert.equal(cutToBytes("short", 100), "short");
    assert.equal(cutToBytes("long text", 3), "");
  });

  it("get outputs of one line, so that a value can't set another output", () => {
    const file = join(folder, "output");
    setOutput("url", "http://a\nother=b", file);
    assert.equal(readFileSync(file, "utf8"), "url=http://a other=b\n");
  });

  it("are refused with a remedy if they are no summary", () => {
    const file = join(folder, "summary.json");
    assert.throws(() => readSummary(file), /can't be read.*ENOENT/);
    writeFileSync(file, "\n");
    assert.throws(() => readSummary(file), /is empty: the preview ended/);
    writeFileSync(file, "x".repeat(4 * 1024 * 1024 + 1));
    assert.throws(() => readSummary(file), /more than a summary has/);
    writeFileSync(file, JSON.stringify({ ...summaryOf("changes"), extra: 1 }));
    assert.throws(() => readSummary(file), /not the summary of a preview/);
  });
});

describe("the environment of a job", () => {
  it("is refused outside of a workflow, with the variable that is missing", () => {
    assert.throws(
      () => readWorkflowRun({}),
      /runs in a GitHub Actions workflow: GITHUB_REPOSITORY/,
    );
  });

  it("is checked for what Azure needs only if the stack or its state is there", () => {
    assert.deepEqual(missingVariables(false, { PULUMI_BACKEND_URL: "s3://state" }), []);
    assert.equal(missingVariables(false, { PULUMI_BACKEND_URL: "azblob://state" }).length, 4);
    const missing = missingVariables(true, {});
    assert.equal(missing.length, 5);
    // A preview has another identity than a deploy.
    assert.match(missing.join("\n"), /AZURE_CLIENT_ID isn't set;.* or AZURE_PREVIEW_CLIENT_ID/);
  });

  it("gets no configuration from a stack that doesn't exist", () => {
    assert.throws(() => writeEnvironmentConfig("pr-0", "no-such-stack"), UsageError);
  });

  it("has a pull request's stacks by their names, whatever backend lists them", () => {
    const stacks = [{ name: "organization/store/pr-12" }, { name: "pr-3" }, { name: "pr-x" }];
    const found = parseEnvironments(JSON.stringify(stacks));
    assert.deepEqual(
      found.map(({ pullRequest }) => pullRequest),
      [12, 3],
    );
  });

  it("has staging's configuration in an environment, except for staging's names", () => {
    const staging = [
      "encryptionsalt: v1:abc=",
      "config:",
      "  # a comment",
      "  store:host: azure",
      "  store:domain: shop.example.org",
      "  store:certificate:",
      "    secure: v1:def=",
      "  store:dnsLabel: shop",
      "  store:dnsZone: example.org",
      '  store:shutdownTime: "0700"',
    ].join("\n");
    assert.equal(
      environmentConfig(`${staging}\n`),
      'encryptionsalt: v1:abc=\nconfig:\n  # a comment\n  store:host: azure\n  store:shutdownTime: "0700"\n',
    );
    assert.equal(environmentConfig("config: {}\n"), "config: {}\n");
    assert.equal(environmentConfig(""), "");
  });
});

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MARKDOWN_LIMIT, parseSummary } from "@store/cli/review/summary";
import { VARIANTS, variantSummary } from "./variants";

const EXPECTED = join(__dirname, "expected");

/**
 * The expected texts are files, so that a change of a text is seen as people will see it. `UPDATE=1 npx mocha …` writes them anew, and
 * `npx tsx scripts/renderReviews.ts` makes the pictures in docs/review.md.
 */
describe("review of a preview", () => {
  for (const { name, title, verdict, exitCode } of VARIANTS) {
    it(`has the expected text where ${title}`, async () => {
      const summary = await variantSummary(name);
      const file = join(EXPECTED, `${name}.md`);
      if (process.env["UPDATE"]) writeFileSync(file, summary.markdown);
      assert.equal(summary.markdown, readFileSync(file, "utf8"));
      assert.deepEqual([summary.verdict, summary.exitCode], [verdict, exitCode]);
      assert.equal(summary.label, `staging: ${verdict}`);
      assert.ok(summary.markdown.length <= MARKDOWN_LIMIT);
      assert.deepEqual(parseSummary(JSON.stringify(summary), name), summary);
    });
  }
});

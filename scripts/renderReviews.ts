/**
 * Renders the expected reviews of test/unit/cli/review as pictures for docs/review.md, about as GitHub shows a comment.
 *
 *     npx tsx scripts/renderReviews.ts
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { chromium, type Page } from "playwright-core";
import { reporter } from "@store/cli/terminal/terminal";
import { ensureChromium } from "@store/toolchain/tools/chromium";

const ROOT = resolve(__dirname, "..");
const EXPECTED = join(ROOT, "test/unit/cli/review/expected");
const PICTURES = join(ROOT, "docs/review");

/** The longest review is one page of steps after another. */
const LEFT_OUT = "too-long.md";

async function main(): Promise<void> {
  const style = readFileSync(
    require.resolve("github-markdown-css/github-markdown-light.css"),
    "utf8",
  );
  const executablePath = await ensureChromium(reporter());
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 200 } });
    for (const file of readdirSync(EXPECTED).filter((name) => name !== LEFT_OUT)) {
      await render(page, readFileSync(join(EXPECTED, file), "utf8"), style);
      const path = join(PICTURES, `${basename(file, ".md")}.png`);
      await page.screenshot({ path, fullPage: true });
      console.log(relative(ROOT, path));
    }
  } finally {
    await browser.close();
  }
}

async function render(page: Page, markdown: string, style: string): Promise<void> {
  const { marked } = await import("marked");
  const body = await marked.parse(withAlerts(markdown), { gfm: true });
  await page.setContent(
    `<!doctype html><meta charset="utf-8"><style>${style} body { padding: 16px; }</style><body class="markdown-body">${body}`,
  );
}

/** Replaces GitHub's "[!CAUTION]", which Markdown doesn't know, by the block that GitHub shows. */
function withAlerts(markdown: string): string {
  return markdown.replaceAll(/(?:^> ?.*\n?)+/gm, (quote) => {
    const lines = quote.split("\n").map((line) => line.replace(/^> ?/, ""));
    if (lines[0] !== "[!CAUTION]") return quote;
    const text = lines.slice(1).join("\n");
    return `<div class="markdown-alert markdown-alert-caution">\n<p class="markdown-alert-title">Caution</p>\n\n${text}\n\n</div>\n\n`;
  });
}

void main();

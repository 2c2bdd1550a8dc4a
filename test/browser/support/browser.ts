import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AxeResults } from "axe-core";
import {
  chromium,
  type Browser,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from "playwright-core";

/** Where pictures go: out of git, unless somebody wants the README's new. */
const SCREENSHOTS = resolve(process.env["SCREENSHOTS"] ?? join(".store", "screenshots"));

/** Root may not use Chromium's own sandbox, and nothing but our pages is asked for. */
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 320, height: 640 };

export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROME_PATH"];
  if (executablePath === undefined) {
    throw new Error(`CHROME_PATH isn't set. "./store test browser" finds a Chromium and sets it.`);
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A window of somebody's own, which notes all that goes wrong in it. */
export class Visit {
  readonly page: Page;
  readonly #url: string;
  readonly #wrong: string[] = [];

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.on("pageerror", (error) => this.#wrong.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // That a page was answered 409, say, is logged as an error too; what isn't a page is looked at below.
      if (message.type() !== "error" || /^Failed to load resource/.test(message.text())) return;
      this.#wrong.push(`console: ${message.text()}`);
    });
    page.on("response", (response) => {
      if (response.status() < 400 || response.request().isNavigationRequest()) return;
      this.#wrong.push(`${response.status()} for ${response.url()}`);
    });
  }

  static async start(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<Visit> {
    const context = await browser.newContext({ viewport: DESKTOP, baseURL: url, ...options });
    context.setDefaultTimeout(30_000);
    return new Visit(await context.newPage(), url);
  }

  /** Fails where a script failed, the policy stopped something or a file is missing. Closes the window. */
  async end(): Promise<void> {
    await this.page.context().close();
    assert.deepEqual(this.#wrong, []);
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(path);
  }

  heading(text: string | RegExp): Locator {
    return this.page.getByRole("heading", { level: 1, name: text });
  }

  /** Waits until this has the focus. */
  async focused(target: Locator): Promise<void> {
    await target.and(this.page.locator(":focus")).waitFor();
  }

  /** Path that the window is at. */
  get path(): string {
    return this.page.url().slice(this.#url.length);
  }

  /** Fails where axe finds anything, or where the page is wider than the window. */
  async check(): Promise<void> {
    const { violations } = await this.page.evaluate<AxeResults>(
      `${axe}; axe.run({ resultTypes: ["violations"] })`,
    );
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
    );
    assert.deepEqual(found, [], `axe at ${this.path}`);
    const [wide, room] = await this.page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    assert.ok(wide <= room, `${this.path} is ${wide} wide in a window of ${room}`);
  }

  async picture(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
  }

  /** Presses Tab until this has the focus, and sees to it that one can see where the focus is on the way. */
  async tabTo(target: Locator): Promise<void> {
    for (let presses = 0; presses < 80; presses++) {
      await this.page.keyboard.press("Tab");
      assert.ok(await this.page.evaluate<boolean>(FOCUS_IS_SEEN), "the focus can be seen");
      if ((await target.and(this.page.locator(":focus")).count()) > 0) return;
    }
    assert.fail(`80 times Tab at ${this.path} don't lead to ${String(target)}`);
  }
}

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Whether the focused element, or the label around it, is outlined; or nothing has the focus, as while a page loads. */
const FOCUS_IS_SEEN = `
  document.activeElement === document.body || [document.activeElement, document.activeElement.closest("label")]
    .filter((element) => element !== null)
    .some((element) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    })`;

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import {
  chromium,
  type Browser,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from "playwright-core";

/** Folder of the screenshots. None are taken by default, because each costs as much time as loading a page. */
const SCREENSHOTS = process.env["SCREENSHOTS"];

/** Chromium's sandbox doesn't work for root. That is acceptable because the tests open our own pages only. */
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 320, height: 640 };

export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROME_PATH"];
  if (executablePath === undefined) {
    throw new Error(`CHROME_PATH is not set. Run "./store test browser", which finds a Chromium.`);
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A browser window with cookies of its own. It records all errors of scripts, policies and files. */
export class BrowserWindow {
  readonly page: Page;
  readonly #url: string;
  readonly #errors: string[] = [];

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.on("pageerror", (error) => this.#errors.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // Chromium also logs failed requests as errors; those of files are recorded below, and pages may have an error status.
      if (message.type() !== "error" || /^Failed to load resource/.test(message.text())) return;
      this.#errors.push(`console: ${message.text()}`);
    });
    page.on("response", (response) => {
      if (response.status() < 400 || response.request().isNavigationRequest()) return;
      this.#errors.push(`${response.status()} for ${response.url()}`);
    });
  }

  /** @param url Base URL of the shop. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<BrowserWindow> {
    const context = await browser.newContext({ viewport: DESKTOP, baseURL: url, ...options });
    context.setDefaultTimeout(90_000);
    return new BrowserWindow(await context.newPage(), url);
  }

  /** Closes the window. Fails if a script failed, the policy blocked something or a file was missing. */
  async close(): Promise<void> {
    await this.page.context().close();
    assert.deepEqual(this.#errors, []);
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(path);
  }

  /** The page's main heading with this text. */
  heading(text: string | RegExp): Locator {
    return this.page.getByRole("heading", { level: 1, name: text });
  }

  /** Waits until an element has the focus. */
  async waitForFocus(target: Locator): Promise<void> {
    await target.and(this.page.locator(":focus")).waitFor();
  }

  /** Path of the current page. */
  get path(): string {
    return this.page.url().slice(this.#url.length);
  }

  /** Fails if axe finds an accessibility problem, or if the page is wider than the window. */
  async checkAccessibility(): Promise<void> {
    const { violations } = await this.#runAxe().catch((error: unknown) => {
      // On a busy machine, a click's navigation may begin only now.
      if (!/Execution context was destroyed/.test(String(error))) throw error;
      return this.#runAxe();
    });
    const problems = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
    );
    assert.deepEqual(problems, [], `axe at ${this.path}`);
    const [width, available] = await this.page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    assert.ok(
      width <= available,
      `${this.path} is ${width} px wide in a window of ${available} px`,
    );
  }

  async #runAxe(): Promise<AxeResults> {
    await this.page.waitForLoadState();
    return this.page.evaluate<AxeResults>(`${axe}; axe.run({ resultTypes: ["violations"] })`);
  }

  /** Takes a picture for the documentation if SCREENSHOTS names a folder. */
  async screenshot(name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
  }

  /** Presses Tab until an element has the focus. Fails if the focus is not visible at any step. */
  async tabTo(target: Locator): Promise<void> {
    for (let presses = 0; presses < MAX_TABS; presses++) {
      await this.page.keyboard.press("Tab");
      assert.ok(await this.page.evaluate<boolean>(IS_FOCUS_VISIBLE), "the focus is not visible");
      if ((await target.and(this.page.locator(":focus")).count()) > 0) return;
    }
    assert.fail(`${MAX_TABS} Tab presses at ${this.path} don't reach ${String(target)}`);
  }
}

const MAX_TABS = 80;

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** A script: true if the focused element or its label has an outline, or if nothing has the focus, as while a page loads. */
const IS_FOCUS_VISIBLE = `
  document.activeElement === document.body || [document.activeElement, document.activeElement.closest("label")]
    .filter((element) => element !== null)
    .some((element) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    })`;

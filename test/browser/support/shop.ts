import { startStore, type TestStoreProcesses } from "@store/kit/testing";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { BrowserWindow, launchBrowser } from "./browser.ts";
import { setAvailable } from "./shopping.ts";

interface Shop {
  readonly store: TestStoreProcesses;
  readonly browser: Browser;
}

let running: Promise<Shop> | undefined;
const windows: BrowserWindow[] = [];

/** Starts the store and the browser that all test files share. */
function sharedShop(): Promise<Shop> {
  return (running ??= start());
}

async function start(): Promise<Shop> {
  // The browser first: if there is none, the store isn't started in vain.
  const browser = await launchBrowser();
  const store = await startStore();
  for (const sku of ["MUG-STONE", "BOARD-OAK", "TEAPOT-GLAZED"])
    await setAvailable(store, sku, 500);
  return { store, browser };
}

export async function sharedStore(): Promise<TestStoreProcesses> {
  return (await sharedShop()).store;
}

/** Opens a window of the shop. It is closed, and checked for errors, after the test. */
export async function openWindow(options?: BrowserContextOptions): Promise<BrowserWindow> {
  const { store, browser } = await sharedShop();
  const window = await BrowserWindow.open(browser, store.gateway.url, options);
  windows.push(window);
  return window;
}

afterEach(async () => {
  for (const window of windows.splice(0)) await window.close();
});

after(async () => {
  const shop = await running?.catch(() => undefined);
  await shop?.browser.close();
  await shop?.store.stop();
});

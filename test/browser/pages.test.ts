import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { DESKTOP, PHONE } from "./support/browser.ts";
import { openWindow, sharedStore } from "./support/shop.ts";

describe("the shop's pages", () => {
  let store: TestStoreProcesses;
  before(async () => (store = await sharedStore()));

  describe("every page", () => {
    const paths = [
      "/",
      "/?q=oak",
      "/?q=rhubarb",
      "/products/STOOL-MILK",
      "/products/UMBRELLA-OAK",
      "/products/NOPE",
      "/basket",
      "/orders",
      "/docs",
      "/office/login",
      "/nothing",
    ];
    for (const [window, options] of [
      ["a desktop window", { viewport: DESKTOP }],
      ["a phone's window in dark mode", { viewport: PHONE, colorScheme: "dark" }],
    ] as const) {
      it(`passes the axe checks and fits ${window}`, async () => {
        const reader = await openWindow(options);
        for (const path of paths) {
          await reader.goto(path);
          await reader.checkAccessibility();
        }
        // A basket with unavailable items.
        await reader.page.context().addCookies([
          {
            name: "basket",
            value: "STOOL-MILK*1~UMBRELLA-OAK*9~GONE*1~MUG-STONE*2",
            url: store.gateway.url,
          },
        ]);
        await reader.goto("/basket");
        await reader.checkAccessibility();
      });
    }

    it("has no animations if the user prefers reduced motion", async () => {
      const reader = await openWindow({ reducedMotion: "reduce" });
      await reader.goto("/");
      const animated = await reader.page.evaluate<number>(
        `[...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none"
            || style.scrollBehavior === "smooth";
        }).length`,
      );
      assert.equal(animated, 0);
    });
  });

  it("shows the API of every service, and can send a request", async () => {
    const reader = await openWindow();
    for (const name of ["inventory", "orders", "billing", "shipping"]) {
      await reader.goto(`/docs/${name}`);
      await reader.page.locator(".opblock").first().waitFor();
      await reader.checkAccessibility();
    }
    // Open one operation and try it.
    await reader.goto("/docs/inventory");
    await reader.page
      .locator(".opblock-get")
      .filter({ has: reader.page.locator('[data-path="/api/inventory/products/{sku}"]') })
      .locator(".opblock-summary-control")
      .click();
    await reader.checkAccessibility();
    await reader.page.getByRole("button", { name: "Try it out" }).click();
    await reader.page.getByPlaceholder("sku").fill("MUG-STONE");
    await reader.page.getByRole("button", { name: "Execute" }).click();
    await reader.page.getByText('"name": "Stoneware Mug"').first().waitFor();
  });
});

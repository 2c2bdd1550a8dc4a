import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { PHONE } from "./support/browser.ts";
import { openWindow, sharedStore } from "./support/shop.ts";
import {
  addToBasket,
  countOrders,
  fillCheckout,
  paymentMethod,
  placeOrder,
  whilePaymentsWait,
} from "./support/shopping.ts";

describe("buying in a browser", () => {
  let store: TestStoreProcesses;
  before(async () => (store = await sharedStore()));

  it("works with the mouse, and the order's page updates without a reload", async () => {
    const shopper = await openWindow();
    const { page } = shopper;
    await shopper.goto("/");
    await shopper.checkAccessibility();
    await shopper.screenshot("catalogue");
    await page.getByRole("searchbox").fill("teapot");
    await page.getByRole("button", { name: "Search" }).click();
    await shopper.heading("Results for “teapot”").waitFor();
    await page.getByRole("link", { name: /Teapot/ }).click();
    await shopper.checkAccessibility();
    await shopper.screenshot("product");
    await page.getByRole("button", { name: "Add to basket" }).click();
    await addToBasket(shopper, "MUG-STONE", 4);
    await shopper.checkAccessibility();
    await shopper.screenshot("basket");
    await fillCheckout(shopper);
    await shopper.checkAccessibility();
    await shopper.screenshot("checkout");
    await whilePaymentsWait(store, async () => {
      await placeOrder(shopper);
      await shopper.heading("We’ve received your order").waitFor();
      await page.evaluate("window.isSameDocument = true");
    });
    await shopper.heading("Thank you, your order is confirmed").waitFor();
    assert.equal(await page.evaluate("window.isSameDocument"), true);
    assert.equal(
      await page.locator("#announcement").textContent(),
      "Thank you, your order is confirmed",
    );
    assert.match(await page.title(), /^Thank you, your order is confirmed/);
    await shopper.checkAccessibility();
    await shopper.screenshot("order");
    assert.equal(await page.getByText(/\d+ items?/).count(), 0);
  });

  it("works with the keyboard alone, with a visible focus", async () => {
    const shopper = await openWindow();
    const { page } = shopper;
    const { keyboard } = page;
    await shopper.goto("/");
    await keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to content");
    await keyboard.press("Enter");
    await shopper.waitForFocus(page.getByRole("main"));
    await shopper.tabTo(page.getByRole("link", { name: /Oak/ }).first());
    await keyboard.press("Enter");
    await page.waitForURL(/products/);
    await shopper.tabTo(page.getByLabel("Quantity"));
    await keyboard.type("2");
    await shopper.tabTo(page.getByRole("button", { name: "Add to basket" }));
    await keyboard.press("Enter");
    await page.waitForURL(/basket/);
    await shopper.tabTo(page.getByRole("link", { name: "Go to checkout" }));
    await keyboard.press("Enter");
    await page.waitForURL(/checkout/);
    for (const [label, text] of [
      ["Full name", "Ada Lovelace"],
      ["Email", "ada@example.org"],
      ["Street address", "12 Hill Street"],
      ["Postcode", "6011"],
      ["Town or city", "Wellington"],
      ["Country", "New Zeal"],
    ] as const) {
      await shopper.tabTo(page.getByLabel(label));
      await keyboard.type(text);
    }
    await shopper.tabTo(paymentMethod(page, "tok_ok"));
    await keyboard.press("ArrowDown");
    assert.ok(await paymentMethod(page, "tok_slow").isChecked());
    await keyboard.press("ArrowUp");
    await shopper.tabTo(page.getByRole("button", { name: "Place order" }));
    await keyboard.press("Enter");
    await shopper.heading("Thank you, your order is confirmed").waitFor();
    const [newest] = await store.databases.orders.query<{ customer: { address: object } }>(
      "SELECT customer FROM orders ORDER BY placed_at DESC LIMIT 1",
    );
    assert.deepEqual(newest?.customer.address, {
      line1: "12 Hill Street",
      city: "Wellington",
      postcode: "6011",
      country: "NZ",
    });
  });

  it("works without JavaScript, and the order's page reloads itself", async () => {
    const shopper = await openWindow({ javaScriptEnabled: false });
    await shopper.goto("/?q=mug");
    await shopper.page.getByRole("link", { name: "Stoneware Mug" }).click();
    await shopper.page.getByRole("button", { name: "Add to basket" }).click();
    await fillCheckout(shopper);
    await whilePaymentsWait(store, async () => {
      await placeOrder(shopper);
      await shopper.heading("We’ve received your order").waitFor();
    });
    await shopper.heading("Thank you, your order is confirmed").waitFor();
  });

  it("works on a phone in dark mode", async () => {
    const shopper = await openWindow({
      viewport: PHONE,
      colorScheme: "dark",
      isMobile: true,
      hasTouch: true,
      deviceScaleFactor: 2,
    });
    const { page } = shopper;
    await shopper.goto("/products/TEAPOT-GLAZED");
    await shopper.screenshot("phone-product");
    await page.getByRole("button", { name: "Add to basket" }).tap();
    await page.waitForURL(/basket/);
    await shopper.checkAccessibility();
    await fillCheckout(shopper);
    await shopper.checkAccessibility();
    await placeOrder(shopper);
    await shopper.heading("Thank you, your order is confirmed").waitFor();
    await shopper.checkAccessibility();
    await shopper.screenshot("phone-order");
  });

  describe("duplicate submissions", () => {
    const countNewOrders = async (action: () => Promise<void>) => {
      const before = await countOrders(store);
      await action();
      return (await countOrders(store)) - before;
    };

    it("places one order for a double click", async () => {
      const shopper = await openWindow();
      const count = await countNewOrders(async () => {
        await addToBasket(shopper, "MUG-STONE");
        await fillCheckout(shopper);
        await shopper.page.getByRole("button", { name: "Place order" }).dblclick();
        await shopper.heading("Thank you, your order is confirmed").waitFor();
        await shopper.goto("/orders");
        assert.equal(await shopper.page.locator(".order-list li").count(), 1);
      });
      assert.equal(count, 1);
    });

    it("places one order when the customer goes back, presses again and reloads pages", async () => {
      const shopper = await openWindow();
      const { page } = shopper;
      const count = await countNewOrders(async () => {
        await addToBasket(shopper, "MUG-STONE");
        await fillCheckout(shopper);
        await placeOrder(shopper);
        const { path } = shopper;
        await page.reload();
        await page.goBack();
        const placeOrderAgain = page.getByRole("button", { name: "Place order" });
        if (await placeOrderAgain.isVisible()) {
          await placeOrderAgain.click();
          await page.waitForURL(/\/orders\//);
        } else {
          // The browser loaded the page again: the basket is empty.
          await shopper.heading("Your basket is empty").waitFor();
          await page.goForward();
        }
        assert.equal(shopper.path, path);
        await page.reload();
        assert.equal(shopper.path, path);
      });
      assert.equal(count, 1);
    });

    it("places one order when the response was lost and the kept form is submitted again", async () => {
      const shopper = await openWindow();
      const { page } = shopper;
      const count = await countNewOrders(async () => {
        await addToBasket(shopper, "MUG-STONE");
        await fillCheckout(shopper);
        // The order is placed, but its response is lost.
        store.gateway.dropResponse = ({ method, url }) =>
          method === "POST" && url === "/api/orders";
        await page.getByRole("button", { name: "Place order" }).click();
        await page.getByText("we don’t know whether your order was placed").waitFor();
        store.gateway.dropResponse = undefined;
        await shopper.checkAccessibility();
        assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Lovelace");
        await placeOrder(shopper);
      });
      assert.equal(count, 1);
    });
  });
});

import assert from "node:assert/strict";
import { startService, type TestStoreProcesses } from "@store/kit/testing";
import { PHONE } from "./support/browser.ts";
import { openWindow, sharedStore } from "./support/shop.ts";
import {
  addToBasket,
  fillCheckout,
  paymentMethod,
  placeOrder,
  setAvailable,
  whilePaymentsWait,
} from "./support/shopping.ts";

describe("the checkout in a browser", () => {
  let store: TestStoreProcesses;
  before(async () => (store = await sharedStore()));

  it("reports an item that sells out meanwhile, and offers the quantity left", async () => {
    const shopper = await openWindow();
    const { page } = shopper;
    await setAvailable(store, "CANDLE-CEDAR", 3);
    await addToBasket(shopper, "CANDLE-CEDAR", 3);
    await fillCheckout(shopper);
    await setAvailable(store, "CANDLE-CEDAR", 1);
    await page.getByRole("button", { name: "Place order" }).click();
    const alert = page.getByRole("alert");
    await alert.getByText("Cedar & Smoke Candle: only 1 left in stock").waitFor();
    await shopper.waitForFocus(alert);
    await shopper.checkAccessibility();
    await page.getByRole("button", { name: /Change quantity to 1/ }).click();
    assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Lovelace");
    await placeOrder(shopper);
    await shopper.heading("Thank you, your order is confirmed").waitFor();

    await shopper.goto("/products/CANDLE-CEDAR");
    await page.getByText("This product is currently sold out").waitFor();
  });

  it("explains why a card was declined, and allows another try", async () => {
    const shopper = await openWindow();
    const { page } = shopper;
    for (const [token, heading] of [
      ["tok_declined", "Your card was declined"],
      ["tok_insufficient_funds", "Your card has insufficient funds"],
    ] as const) {
      await addToBasket(shopper, "BOARD-OAK");
      await fillCheckout(shopper, token);
      await placeOrder(shopper);
      await shopper.heading(heading).waitFor();
      await page.getByText("You were not charged").waitFor();
      await shopper.checkAccessibility();
    }
    await page.getByRole("button", { name: "Add items to basket again" }).click();
    await fillCheckout(shopper);
    await placeOrder(shopper);
    await shopper.heading("Thank you, your order is confirmed").waitFor();
  });

  it("links to the invalid field", async () => {
    const shopper = await openWindow();
    const { page } = shopper;
    await addToBasket(shopper, "MUG-STONE");
    await fillCheckout(shopper);
    const email = page.getByLabel("Email");
    await email.fill("ada at example");
    // Without this, the browser's own validation would prevent the submission.
    await page.evaluate("document.querySelector('form.checkout').noValidate = true");
    await page.getByRole("button", { name: "Place order" }).click();
    await page.getByRole("alert").getByRole("link", { name: /Email/ }).click();
    await shopper.waitForFocus(email);
    await shopper.checkAccessibility();
  });

  it("replaces the form if the shop has no payment methods", async () => {
    const shopper = await openWindow({ viewport: PHONE });
    const { page } = shopper;
    await addToBasket(shopper, "BOARD-OAK");
    store.gateway.intercept = ({ url }, response) => {
      if (url !== "/api/billing/payment-methods") return false;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ provider: "stripe", movesMoney: true, methods: [] }));
      return true;
    };
    try {
      await page.getByRole("link", { name: "Go to checkout" }).click();
      await page.getByRole("alert").getByText("We can’t accept card payments yet").waitFor();
      assert.equal(await page.getByRole("button", { name: "Place order" }).count(), 0);
      assert.equal(await page.getByLabel("Full name").count(), 0);
      await shopper.checkAccessibility();
      await shopper.screenshot("phone-no-cards");
      await page.getByRole("link", { name: "Back to basket" }).click();
      await shopper.heading("Your basket").waitFor();
    } finally {
      store.gateway.intercept = undefined;
    }
  });

  it("offers to try again while payment methods are unknown, and keeps what was entered", async () => {
    store.gateway.targets.set("billing", undefined);
    const storefront = await startService("storefront", { GATEWAY_URL: store.gateway.url });
    store.gateway.targets.set("storefront", storefront.url);
    try {
      const shopper = await openWindow();
      const { page } = shopper;
      await addToBasket(shopper, "BOARD-OAK");
      await page.getByRole("link", { name: "Go to checkout" }).click();
      const alert = page.getByRole("alert");
      await alert.getByText("Payment is temporarily unavailable").waitFor();
      await shopper.waitForFocus(alert);
      await shopper.checkAccessibility();
      await shopper.screenshot("unknown-payment");
      await page.getByLabel("Full name").fill("Ada Lovelace");
      store.gateway.targets.set("billing", store.services.billing.url);
      await page.getByLabel("Full name").press("Enter");
      await paymentMethod(page, "tok_ok").waitFor();
      assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Lovelace");
      await page.getByRole("button", { name: "Place order" }).waitFor();
      await shopper.checkAccessibility();
    } finally {
      for (const name of ["billing", "storefront"] as const)
        store.gateway.targets.set(name, store.services[name].url);
      await storefront.stop();
    }
  });

  it("keeps polling the order's page after the network failed", async () => {
    const shopper = await openWindow();
    await addToBasket(shopper, "MUG-STONE");
    await fillCheckout(shopper);
    await whilePaymentsWait(store, async () => {
      await placeOrder(shopper);
      const failedPoll = shopper.page.waitForEvent("requestfailed");
      // Takes only this window offline.
      await shopper.page.context().setOffline(true);
      await failedPoll;
      await shopper.page.context().setOffline(false);
    });
    await shopper.heading("Thank you, your order is confirmed").waitFor();
  });
});

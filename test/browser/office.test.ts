import type { TestStoreProcesses } from "@store/kit/testing";
import { PHONE } from "./support/browser.ts";
import { openWindow, sharedStore } from "./support/shop.ts";
import { addToBasket, fillCheckout, placeOrder, setAvailable } from "./support/shopping.ts";

describe("the back office in a browser", () => {
  let store: TestStoreProcesses;
  before(async () => (store = await sharedStore()));

  it("changes stock, refunds and ships an order, and the customer's page updates itself", async () => {
    const customer = await openWindow();
    await addToBasket(customer, "MUG-STONE", 2);
    await fillCheckout(customer);
    await placeOrder(customer);
    await customer.heading("Thank you, your order is confirmed").waitFor();

    const clerk = await openWindow();
    const { page } = clerk;
    await clerk.goto("/office/stock");
    await page.getByLabel("Token").fill("not the token");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").getByText("Incorrect token").waitFor();
    await clerk.checkAccessibility();
    await page.getByLabel("Token").fill(store.staff.token);
    await page.getByRole("button", { name: "Log in" }).click();
    await clerk.heading("Stock").waitFor();
    await clerk.checkAccessibility();
    await clerk.screenshot("office-stock");

    await page.getByRole("link", { name: "Milking Stool" }).click();
    await clerk.checkAccessibility();
    await page.getByLabel("On the shelf").fill("4");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("STOOL-MILK was saved").waitFor();
    await page.getByRole("link", { name: "Milking Stool" }).click();
    await page.getByText("→ 4 by clerk").waitFor();
    await clerk.checkAccessibility();
    const reader = await openWindow();
    await reader.goto("/products/STOOL-MILK");
    await reader.page.getByText("Only 4 left").waitFor();

    await page.getByRole("link", { name: "Orders" }).click();
    await clerk.checkAccessibility();
    await clerk.screenshot("office-orders");
    await page.getByRole("link", { name: "Ada Lovelace" }).first().click();
    await clerk.heading("Order").waitFor();
    await clerk.checkAccessibility();
    await page.getByLabel("Refund amount (AUD)").fill("5.00");
    await page.getByRole("button", { name: "Refund", exact: true }).click();
    await page.getByText("Refund started").waitFor();
    await clerk.screenshot("office-order");

    await page.getByRole("link", { name: "Parcels" }).click();
    await clerk.checkAccessibility();
    const parcel = page.locator(".parcel").filter({ hasText: customer.path.slice(8, 16) });
    await parcel.getByText("12 Hill Street").waitFor();
    await parcel.getByRole("button", { name: /Mark as shipped/ }).click();
    await customer.heading("Your parcel is on its way").waitFor();

    await page.getByRole("link", { name: "Shipped" }).click();
    await parcel.getByRole("button", { name: /Mark as delivered/ }).click();
    await customer.heading("Your parcel has been delivered").waitFor();
    await customer.checkAccessibility();

    await page.getByText("Logged in as clerk").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
  });

  it("reports an edit conflict, and fits a phone", async () => {
    const clerk = await openWindow({ viewport: PHONE, colorScheme: "dark" });
    const { page } = clerk;
    await clerk.goto("/office/stock/TEAPOT-GLAZED");
    await page.getByLabel("Token").fill(store.staff.token);
    await page.keyboard.press("Enter");
    await clerk.heading(/Teapot/).waitFor();
    await setAvailable(store, "TEAPOT-GLAZED", 321);
    await store.databases.inventory.query(
      "UPDATE products SET version = version + 1 WHERE sku = 'TEAPOT-GLAZED'",
    );
    await page.getByLabel("On the shelf").fill("12");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("changed this product").waitFor();
    // 321 for sale, and what other tests have bought and nobody has packed.
    await page.getByText(/Current value: 3(2[1-9]|[3-9]\d)$/).waitFor();
    await clerk.checkAccessibility();
    for (const path of ["/office/orders", "/office/parcels", "/office/new-product"]) {
      await clerk.goto(path);
      await clerk.checkAccessibility();
    }
  });
});

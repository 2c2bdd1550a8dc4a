import assert from "node:assert/strict";
import { startService, startStore, type TestStoreProcesses } from "@store/kit/testing";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { DESKTOP, launchBrowser, PHONE, Visit } from "./support/browser.ts";
import {
  addToBasket,
  countOrders,
  fillCheckout,
  placeOrder,
  setOnHand,
} from "./support/shopping.ts";

describe("the shop in a browser", function () {
  this.timeout(90_000);
  let store: TestStoreProcesses;
  let browser: Browser;
  const visits: Visit[] = [];

  before(async () => {
    [store, browser] = await Promise.all([startStore(), launchBrowser()]);
    for (const sku of ["MUG-STONE", "BOARD-OAK", "TEAPOT-GLAZED"]) await setOnHand(store, sku, 500);
  });
  after(async () => {
    await browser.close();
    await store.stop();
  });
  const visit = async (options?: BrowserContextOptions) => {
    const started = await Visit.start(browser, store.gateway.url, options);
    visits.push(started);
    return started;
  };
  afterEach(async () => {
    for (const each of visits.splice(0)) await each.end();
  });

  describe("buying", () => {
    it("is done with the mouse, and the order's page follows by itself", async () => {
      const shopper = await visit();
      const { page } = shopper;
      await shopper.goto("/");
      await shopper.check();
      await shopper.picture("catalogue");
      await page.getByRole("searchbox").fill("teapot");
      await page.getByRole("button", { name: "Search" }).click();
      await shopper.heading("Found for “teapot”").waitFor();
      await page.getByRole("link", { name: /Teapot/ }).click();
      await shopper.check();
      await shopper.picture("product");
      await page.getByRole("button", { name: "Add to basket" }).click();
      await addToBasket(shopper, "MUG-STONE", 4);
      await shopper.check();
      await shopper.picture("basket");
      await fillCheckout(shopper, "Slow bank");
      await shopper.check();
      await shopper.picture("checkout");
      await placeOrder(shopper);
      await shopper.heading("We have your order").waitFor();
      await page.evaluate("window.loadedOnce = true");
      await shopper.heading("Thank you, it’s yours").waitFor();
      assert.equal(await page.evaluate("window.loadedOnce"), true);
      assert.equal(await page.locator("#announcement").textContent(), "Thank you, it’s yours");
      assert.match(await page.title(), /^Thank you, it’s yours/);
      await shopper.check();
      await shopper.picture("order");
      assert.equal(await page.getByText(/\d+ things/).count(), 0);
    });

    it("is done with the keyboard alone, and one sees where one is", async () => {
      const shopper = await visit();
      const { page } = shopper;
      const { keyboard } = page;
      await shopper.goto("/");
      await keyboard.press("Tab");
      assert.equal(
        await page.evaluate("document.activeElement.textContent"),
        "Skip to the content",
      );
      await keyboard.press("Enter");
      await shopper.focused(page.getByRole("main"));
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
        ["E-mail", "ada@example.org"],
        ["Street and number", "12 Hill Street"],
        ["Postcode", "6011"],
        ["Town or city", "Wellington"],
        ["Country", "New Zeal"],
      ] as const) {
        await shopper.tabTo(page.getByLabel(label));
        await keyboard.type(text);
      }
      await shopper.tabTo(page.getByLabel(/Card that pays/));
      await keyboard.press("ArrowDown");
      assert.ok(await page.getByLabel(/Slow bank/).isChecked());
      await keyboard.press("ArrowUp");
      await shopper.tabTo(page.getByRole("button", { name: "Place order" }));
      await keyboard.press("Enter");
      await shopper.heading("Thank you, it’s yours").waitFor();
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

    it("is done without JavaScript, and the order's page loads itself again", async () => {
      const shopper = await visit({ javaScriptEnabled: false });
      await shopper.goto("/?q=mug");
      await shopper.page.getByRole("link", { name: "Stoneware Mug" }).click();
      await shopper.page.getByRole("button", { name: "Add to basket" }).click();
      await fillCheckout(shopper, "Slow bank");
      await placeOrder(shopper);
      await shopper.heading("We have your order").waitFor();
      await shopper.heading("Thank you, it’s yours").waitFor();
    });

    it("is done on a phone in the dark", async () => {
      const shopper = await visit({
        viewport: PHONE,
        colorScheme: "dark",
        isMobile: true,
        hasTouch: true,
        deviceScaleFactor: 2,
      });
      const { page } = shopper;
      await shopper.goto("/products/TEAPOT-GLAZED");
      await shopper.picture("phone-product");
      await page.getByRole("button", { name: "Add to basket" }).tap();
      await page.waitForURL(/basket/);
      await shopper.check();
      await fillCheckout(shopper);
      await shopper.check();
      await placeOrder(shopper);
      await shopper.heading("Thank you, it’s yours").waitFor();
      await shopper.check();
      await shopper.picture("phone-order");
    });
  });

  describe("one order", () => {
    const orders = async (work: () => Promise<void>) => {
      const before = await countOrders(store);
      await work();
      return (await countOrders(store)) - before;
    };

    it("comes of a double click", async () => {
      const shopper = await visit();
      const count = await orders(async () => {
        await addToBasket(shopper, "MUG-STONE");
        await fillCheckout(shopper);
        await shopper.page.getByRole("button", { name: "Place order" }).dblclick();
        await shopper.heading("Thank you, it’s yours").waitFor();
        await shopper.goto("/orders");
        assert.equal(await shopper.page.locator(".order-list li").count(), 1);
      });
      assert.equal(count, 1);
    });

    it("comes of going back and pressing again, and of loading pages again", async () => {
      const shopper = await visit();
      const { page } = shopper;
      const count = await orders(async () => {
        await addToBasket(shopper, "MUG-STONE");
        await fillCheckout(shopper);
        await placeOrder(shopper);
        const { path } = shopper;
        await page.reload();
        await page.goBack();
        const again = page.getByRole("button", { name: "Place order" });
        if (await again.isVisible()) {
          await again.click();
          await page.waitForURL(/\/orders\//);
        } else {
          // The browser asked anew: there is nothing in the basket to order.
          await shopper.heading("Your basket is empty").waitFor();
          await page.goForward();
        }
        assert.equal(shopper.path, path);
        await page.reload();
        assert.equal(shopper.path, path);
      });
      assert.equal(count, 1);
    });

    it("comes of a form that was kept while the shop was out of reach", async () => {
      const shopper = await visit();
      const { page } = shopper;
      const count = await orders(async () => {
        await addToBasket(shopper, "MUG-STONE");
        await fillCheckout(shopper);
        // The order is taken, and its answer is lost.
        store.gateway.dropResponse = ({ method, url }) => method === "POST" && url === "/api/orders";
        await page.getByRole("button", { name: "Place order" }).click();
        await page.getByText("we don’t know whether yours has reached us").waitFor();
        store.gateway.dropResponse = undefined;
        await shopper.check();
        assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Lovelace");
        await placeOrder(shopper);
      });
      assert.equal(count, 1);
    });
  });

  describe("what goes wrong is said", () => {
    it("when something is sold in between", async () => {
      const shopper = await visit();
      const { page } = shopper;
      await setOnHand(store, "CANDLE-CEDAR", 3);
      await addToBasket(shopper, "CANDLE-CEDAR", 3);
      await fillCheckout(shopper);
      await setOnHand(store, "CANDLE-CEDAR", 1);
      await page.getByRole("button", { name: "Place order" }).click();
      const said = page.getByRole("alert");
      await said.getByText("Only 1 of Cedar & Smoke Candle is left").waitFor();
      await shopper.focused(said);
      await shopper.check();
      await page.getByRole("button", { name: /Take 1 instead/ }).click();
      assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Lovelace");
      await placeOrder(shopper);
      await shopper.heading("Thank you, it’s yours").waitFor();

      await shopper.goto("/products/CANDLE-CEDAR");
      await page.getByText("This one is sold out for now").waitFor();
    });

    it("when a card is declined, and another one does", async () => {
      const shopper = await visit();
      const { page } = shopper;
      for (const [card, heading] of [
        ["Declined card", "Your card was declined"],
        ["Empty card", "There isn’t enough on this card"],
      ] as const) {
        await addToBasket(shopper, "BOARD-OAK");
        await fillCheckout(shopper, card);
        await placeOrder(shopper);
        await shopper.heading(heading).waitFor();
        await page.getByText("You were not charged").waitFor();
        await shopper.check();
      }
      await page.getByRole("button", { name: "Put it back into the basket" }).click();
      await fillCheckout(shopper);
      await placeOrder(shopper);
      await shopper.heading("Thank you, it’s yours").waitFor();
    });

    it("next to the field that it is about", async () => {
      const shopper = await visit();
      const { page } = shopper;
      await addToBasket(shopper, "MUG-STONE");
      await fillCheckout(shopper);
      const email = page.getByLabel("E-mail");
      await email.fill("ada at example");
      // The browser's own check would stop it before.
      await page.evaluate("document.querySelector('form.checkout').noValidate = true");
      await page.getByRole("button", { name: "Place order" }).click();
      await page
        .getByRole("alert")
        .getByRole("link", { name: /E-mail/ })
        .click();
      await shopper.focused(email);
      await shopper.check();
    });

    it("when no card can be taken here, before anything is filled in", async () => {
      const shopper = await visit({ viewport: PHONE });
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
        await page.getByRole("alert").getByText("We can’t take cards here yet").waitFor();
        assert.equal(await page.getByRole("button", { name: "Place order" }).count(), 0);
        assert.equal(await page.getByLabel("Full name").count(), 0);
        await shopper.check();
        await shopper.picture("phone-no-cards");
        await page.getByRole("link", { name: "Back to your basket" }).click();
        await shopper.heading("Your basket").waitFor();
      } finally {
        store.gateway.intercept = undefined;
      }
    });

    it("when nobody knows how one can pay, and what was entered stays", async () => {
      store.gateway.targets.set("billing", undefined);
      const storefront = await startService("storefront", { GATEWAY_URL: store.gateway.url });
      store.gateway.targets.set("storefront", storefront.url);
      try {
        const shopper = await visit();
        const { page } = shopper;
        await addToBasket(shopper, "BOARD-OAK");
        await page.getByRole("link", { name: "Go to checkout" }).click();
        const said = page.getByRole("alert");
        await said.getByText("We can’t find out right now how you can pay").waitFor();
        await shopper.focused(said);
        await shopper.check();
        await shopper.picture("unknown-payment");
        await page.getByLabel("Full name").fill("Ada Lovelace");
        store.gateway.targets.set("billing", store.services.billing.url);
        await page.getByLabel("Full name").press("Enter");
        await page.getByLabel(/Card that pays/).waitFor();
        assert.equal(await page.getByLabel("Full name").inputValue(), "Ada Lovelace");
        await page.getByRole("button", { name: "Place order" }).waitFor();
        await shopper.check();
      } finally {
        for (const name of ["billing", "storefront"] as const)
          store.gateway.targets.set(name, store.services[name].url);
        await storefront.stop();
      }
    });

    it("when a service is away while the order's page waits, which goes on waiting", async () => {
      const shopper = await visit();
      await addToBasket(shopper, "MUG-STONE");
      await fillCheckout(shopper, "Slow bank");
      await placeOrder(shopper);
      // Answered by the window's network, so that nothing but this page notices.
      await shopper.page.context().setOffline(true);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await shopper.page.context().setOffline(false);
      await shopper.heading("Thank you, it’s yours").waitFor();
    });
  });

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
    for (const [what, options] of [
      ["in a wide window", { viewport: DESKTOP }],
      ["in a narrow window in the dark", { viewport: PHONE, colorScheme: "dark" }],
    ] as const) {
      it(`passes axe and fits ${what}`, async () => {
        const reader = await visit(options);
        for (const path of paths) {
          await reader.goto(path);
          await reader.check();
        }
        // With things in the basket that can't be had.
        await reader.page.context().addCookies([
          {
            name: "basket",
            value: "STOOL-MILK*1~UMBRELLA-OAK*9~GONE*1~MUG-STONE*2",
            url: store.gateway.url,
          },
        ]);
        await reader.goto("/basket");
        await reader.check();
      });
    }

    it("moves nothing where less motion is asked for", async () => {
      const reader = await visit({ reducedMotion: "reduce" });
      await reader.goto("/");
      const moving = await reader.page.evaluate<number>(
        `[...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none"
            || style.scrollBehavior === "smooth";
        }).length`,
      );
      assert.equal(moving, 0);
    });
  });

  it("documents every interface, laid out by a script of its own", async () => {
    const reader = await visit();
    for (const name of ["inventory", "orders", "billing", "shipping"]) {
      await reader.goto(`/docs/${name}`);
      await reader.page.locator(".opblock").first().waitFor();
      await reader.check();
    }
    // One of them unfolded and tried out.
    await reader.goto("/docs/inventory");
    await reader.page
      .getByRole("button", { name: /One product/ })
      .first()
      .click();
    await reader.check();
    await reader.page.getByRole("button", { name: "Try it out" }).click();
    await reader.page.getByPlaceholder("sku").fill("MUG-STONE");
    await reader.page.getByRole("button", { name: "Execute" }).click();
    await reader.page.getByText('"name": "Stoneware Mug"').first().waitFor();
  });

  describe("the back office", () => {
    it("changes stock and sends parcels, and the customer's page says so by itself", async () => {
      const customer = await visit();
      await addToBasket(customer, "MUG-STONE", 2);
      await fillCheckout(customer);
      await placeOrder(customer);
      await customer.heading("Thank you, it’s yours").waitFor();

      const clerk = await visit();
      const { page } = clerk;
      await clerk.goto("/office/stock");
      await page.getByLabel("Token").fill("not the token");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("alert").getByText("That isn’t the store’s token").waitFor();
      await clerk.check();
      await page.getByLabel("Token").fill(store.staff.token);
      await page.getByRole("button", { name: "Log in" }).click();
      await clerk.heading("Stock").waitFor();
      await clerk.check();
      await clerk.picture("office-stock");

      await page.getByRole("link", { name: "Milking Stool" }).click();
      await clerk.check();
      await page.getByLabel("On hand").fill("4");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("STOOL-MILK is saved").waitFor();
      const reader = await visit();
      await reader.goto("/products/STOOL-MILK");
      await reader.page.getByText("Only 4 left").waitFor();

      await page.getByRole("link", { name: "Orders" }).click();
      await clerk.check();
      await clerk.picture("office-orders");
      await page.getByRole("link", { name: "Ada Lovelace" }).first().click();
      await clerk.heading("Order").waitFor();
      await clerk.check();
      await page.getByLabel("Pay back, AUD").fill("5.00");
      await page.getByRole("button", { name: "Pay back" }).click();
      await page.getByText("It is being paid back").waitFor();
      await clerk.picture("office-order");

      await page.getByRole("link", { name: "Parcels" }).click();
      await clerk.check();
      const parcel = page.locator(".parcel").filter({ hasText: customer.path.slice(8, 16) });
      await parcel.getByText("12 Hill Street").waitFor();
      await parcel.getByRole("button", { name: /It has left/ }).click();
      await customer.heading("Your parcel is on its way").waitFor();

      await page.getByRole("link", { name: "On their way" }).click();
      await parcel.getByRole("button", { name: /It has arrived/ }).click();
      await customer.heading("Your parcel has arrived").waitFor();
      await customer.check();
    });

    it("says that somebody else was faster, and fits a phone", async () => {
      const clerk = await visit({ viewport: PHONE, colorScheme: "dark" });
      const { page } = clerk;
      await clerk.goto("/office/stock/TEAPOT-GLAZED");
      await page.getByLabel("Token").fill(store.staff.token);
      await page.keyboard.press("Enter");
      await clerk.heading(/Teapot/).waitFor();
      await setOnHand(store, "TEAPOT-GLAZED", 321);
      await store.databases.inventory.query(
        "UPDATE products SET version = version + 1 WHERE sku = 'TEAPOT-GLAZED'",
      );
      await page.getByLabel("On hand").fill("12");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("alert").getByText("Somebody else, or a sale").waitFor();
      await page.getByText("It is now: 321").waitFor();
      await clerk.check();
      for (const path of ["/office/orders", "/office/parcels", "/office/new-product"]) {
        await clerk.goto(path);
        await clerk.check();
      }
    });
  });
});

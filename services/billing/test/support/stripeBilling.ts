import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Billing } from "./billing.ts";
import { StripeEmulator } from "./stripeEmulator.ts";

/** Token of a card that is accepted. */
export const CARD = "pm_card_visa";

/** Billing with Stripe's real package against an emulator of Stripe's API. */
export interface StripeBilling {
  readonly billing: Billing;
  readonly stripe: StripeEmulator;
  /** URL of the emulator. */
  readonly url: string;
  /** Runs an action with another secret key, and restores the valid key afterwards. */
  readonly withKey: (key: string, action: () => Promise<void>) => Promise<void>;
}

let running: Promise<StripeBilling & { readonly stop: () => Promise<void> }> | undefined;

/** Returns the services that all test files with Stripe share, because starting them takes seconds. */
export function sharedStripeBilling(): Promise<StripeBilling> {
  return (running ??= start());
}

after("stop billing and the emulator of Stripe", async () => {
  await (await running)?.stop();
});

async function start(): Promise<StripeBilling & { readonly stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  const keyFile = join(folder, "STRIPE_SECRET_KEY");
  const writeKey = (key: string) => {
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
  };
  writeKey(StripeEmulator.KEY);
  const stripe = new StripeEmulator();
  const url = await stripe.start();
  const billing = await Billing.start({
    PAYMENT_PROVIDER: "stripe",
    STRIPE_SECRET_KEY_FILE: keyFile,
    STRIPE_API_URL: url,
    STRIPE_TIMEOUT_MS: "2500",
    PAYMENT_LEASE_SECONDS: "30",
    REFUND_POLL_MS: "100",
    REPORT_POLL_MS: "100",
    LOG_LEVEL: "trace",
  });
  return {
    ...{ billing, stripe, url },
    withKey: async (key, action) => {
      writeKey(key);
      try {
        await action();
      } finally {
        writeKey(StripeEmulator.KEY);
      }
    },
    stop: async () => {
      await billing.stop();
      await stripe.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

import type { App } from "@store/kit";
import type { Refunds } from "./refunds.ts";

/** Retries due refunds at an interval in milliseconds until the app closes. */
export function pollRefunds(app: App, refunds: Refunds, intervalMs: number): void {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= refunds
      .retryDue()
      // For example because the database is unreachable.
      .catch((error: unknown) =>
        app.log.warn({ err: error }, "Could not retry pending refunds; the next poll tries again"),
      )
      .finally(() => (running = undefined));
  }, intervalMs);
  app.addHook("onClose", async () => {
    clearInterval(timer);
    await running;
  });
}

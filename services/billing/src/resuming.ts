import type { App } from "@store/kit";
import type { Refunds } from "./refunds.ts";

/** Looks for refunds to go on with every so many milliseconds, for as long as the service runs. */
export function keepResuming(app: App, refunds: Refunds, everyMs: number): void {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= refunds
      .resume()
      // The database is away, say. The next look is soon.
      .catch((error: unknown) => app.log.warn({ err: error }, "Refunds wait"))
      .finally(() => (running = undefined));
  }, everyMs);
  app.addHook("onClose", async () => {
    clearInterval(timer);
    await running;
  });
}

import type { App } from "@store/kit";

interface Poll {
  /** Infinitive that describes the work in the log. */
  readonly description: string;
  readonly work: () => Promise<void>;
  readonly intervalMs: number;
}

/** Repeats the work at an interval until the app closes. A poll that takes longer than the interval delays the next one. */
export function pollUntilClosed(app: App, { description, work, intervalMs }: Poll): void {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      // For example because the database is unreachable.
      .catch((error: unknown) =>
        app.log.warn({ err: error }, `Could not ${description}; the next poll tries again`),
      )
      .finally(() => (running = undefined));
  }, intervalMs);
  app.addHook("onClose", async () => {
    clearInterval(timer);
    await running;
  });
}

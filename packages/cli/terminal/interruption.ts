import { CliError, ExitCode } from "@store/docker/cliError";
import { duration, Reporter } from "./terminal";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs an action that Ctrl-C ends.
 *
 * @param action Ends with an error soon after its signal is aborted.
 * @param error Message for the user who has interrupted it.
 * @throws CliError with the exit code Interrupted
 */
export async function untilInterrupted<T>(
  action: (stop: AbortSignal) => Promise<T>,
  { summary, hint }: { readonly summary: string; readonly hint: string },
): Promise<T> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  for (const signal of SIGNALS) process.on(signal, abort);
  try {
    return await action(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new CliError(summary, { hint, exitCode: ExitCode.Interrupted });
  } finally {
    for (const signal of SIGNALS) process.off(signal, abort);
  }
}

/** Reports each second for how long an action has run. */
export async function withProgress<T>(
  report: Reporter,
  text: string,
  action: () => Promise<T>,
): Promise<T> {
  const started = Date.now();
  const timer = setInterval(
    () => report.progress(`${text}, ${duration((Date.now() - started) / 1000)}`),
    1000,
  );
  try {
    return await action();
  } finally {
    clearInterval(timer);
  }
}

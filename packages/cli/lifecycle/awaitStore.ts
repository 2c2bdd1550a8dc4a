import { CliError } from "@store/docker/cliError";
import { awaitPublicAddress, describeAnswer } from "../docker/gateway/publicAddress";
import { addressInState } from "../docker/gateway/url";
import { storeCommand } from "../project/storeCommand";
import type { Checkpoint } from "../state/checkpoint";
import { duration, Reporter } from "../terminal/terminal";
import { withProgress } from "../terminal/interruption";

/** Time for a VM's boot and the start of its containers, in milliseconds. A small VM with many services takes two minutes. */
const LIMIT_MS = 300_000;

interface Wait {
  /** Name of the stack. */
  readonly stack: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly report: Reporter;
  /** Ends the wait with an error. */
  readonly stop: AbortSignal;
  /** Advice for a store that doesn't answer, beside `ps`. @default none */
  readonly hint?: string;
  /** Limit in milliseconds. @default 5 min */
  readonly limitMs?: number;
}

/**
 * Waits until a store whose host has booted answers at its public address. Docker starts the containers again.
 *
 * @returns the address; undefined if the stack's state has no gateway
 * @throws CliError if the store doesn't answer in time
 */
export async function awaitStore(wait: Wait): Promise<string | undefined> {
  const { stack, checkpoint, report, stop, hint, limitMs = LIMIT_MS } = wait;
  const address = addressInState(checkpoint);
  if (address === undefined) return undefined;
  const { url, host } = address;
  const answer = await withProgress(report, `waiting until the store answers at ${url}`, () =>
    awaitPublicAddress(url, host, limitMs, stop),
  );
  if (answer.kind === "ok") return url;
  const status = `See what runs: ${storeCommand("ps", stack)}`;
  throw new CliError(
    `The host runs, but ${url} ${describeAnswer(answer)}, ${duration(limitMs / 1000)} after its start.`,
    { hint: [status, ...(hint === undefined ? [] : [hint])].join("\n") },
  );
}

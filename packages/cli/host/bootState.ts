import { CliError } from "@store/docker/cliError";
import type { SshTarget } from "@store/docker/sshAgent";
import { setTimeout as sleep } from "node:timers/promises";
import { readWithoutComments } from "../../../components/shell/shell";
import { storeCommand } from "../project/storeCommand";
import { ConnectionLimits, runOnHost } from "./hostShell";

/** State of a host since its last boot. */
export interface BootState {
  /** Changes with each boot. */
  readonly bootId: string;
  /** Packages whose updates need a reboot, as far as the distribution names them. Undefined if no reboot is needed. */
  readonly pending: readonly string[] | undefined;
}

/** Reads the state over SSH. @throws CliError if the host doesn't answer */
export async function readBootState(
  target: SshTarget,
  limits: ConnectionLimits,
): Promise<BootState> {
  const { code, stdout, stderr } = await runOnHost(target, script("bootState.sh"), limits);
  const [bootId = "", marker, ...pending] = lines(stdout);
  if (code === 0 && bootId !== "") {
    return { bootId, pending: marker === undefined ? undefined : pending };
  }
  const reason = lines(stderr).at(-1) ?? `no answer within ${limits.timeoutMs / 1000} s`;
  throw new CliError(`The host doesn't answer over SSH: ${reason}.`, { cause: new Error(reason) });
}

/** Describes a pending reboot as a sentence with its command; undefined if none is needed. */
export function describePending({ pending }: BootState, stack: string): string | undefined {
  if (pending === undefined) return undefined;
  return `Updates on the host need a reboot${listed(pending)}: ${storeCommand("reboot", stack)}`;
}

/** " (linux-image-amd64, libc6 and 3 more)"; empty for no packages. */
export function listed(packages: readonly string[]): string {
  if (packages.length === 0) return "";
  const more = packages.length - NAMED;
  return ` (${packages.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""})`;
}

const NAMED = 3;

/** Sends the command to reboot. @throws CliError if the host refuses it */
export async function sendReboot(target: SshTarget, limits: ConnectionLimits): Promise<void> {
  const { code, stderr } = await runOnHost(target, script("reboot.sh"), limits);
  // 255 is ssh's own: the machine ends the connection, before or after the command does. Null is the limit: it goes down without a word.
  if (code === 0 || code === null || (code === 255 && !REFUSED.test(stderr))) return;
  throw new CliError("The host refuses to reboot.", {
    details: lines(stderr),
    detailsTitle: "sudo systemctl reboot",
    hint: "The stack's SSH user must be root, or have the right to run sudo without a password.",
  });
}

const REFUSED = /permission denied|host key verification failed|timed out|connection refused/i;

export interface RebootWait extends ConnectionLimits {
  /** ID of the boot before. */
  readonly before: string;
  /** Limit for the reboot, in milliseconds. */
  readonly limitMs: number;
  /** Time between two looks, in milliseconds. */
  readonly intervalMs: number;
}

/** Waits until the host has booted again. Returns false if it hasn't within the limit. */
export async function awaitNextBoot(
  target: SshTarget,
  { before, limitMs, intervalMs, ...limits }: RebootWait,
): Promise<boolean> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    await sleep(intervalMs, undefined, { signal: limits.signal });
    try {
      if ((await readBootState(target, limits)).bootId !== before) return true;
    } catch (error) {
      // The host is going down, or isn't up yet.
      if (!(error instanceof CliError)) throw error;
      limits.signal?.throwIfAborted();
    }
  }
  return false;
}

function script(file: string): string {
  return readWithoutComments(__dirname, file);
}

function lines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

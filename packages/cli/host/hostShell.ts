import type { SshTarget } from "@store/docker/sshAgent";
import { run, RunResult } from "@store/toolchain/system/run";
import { inSh } from "../../../components/shell/shell";

/** Limits of one connection. */
export interface ConnectionLimits {
  /** Limit for connection and script, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Runs a script in sh on a host, over a connection of its own. Never rejects, and never asks for a password. */
export function runOnHost(
  { args, options = [], folder }: SshTarget,
  script: string,
  { timeoutMs, signal }: ConnectionLimits,
): Promise<RunResult> {
  // Ssh uses the first of several values of an option.
  const limit = ["-o", `ConnectTimeout=${Math.ceil(timeoutMs / 1000)}`, "-o", "BatchMode=yes"];
  return run("ssh", ["-T", ...limit, ...options, ...args, inSh(script)], {
    cwd: folder,
    timeoutMs,
    signal,
  });
}

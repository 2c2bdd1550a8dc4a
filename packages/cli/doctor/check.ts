import type { Docker } from "@store/docker/docker";
import type { Session } from "../project/session";

/** Result of a check of `./store doctor`. */
export interface CheckResult {
  readonly title: string;
  /** "pending": missing, but `./store up` sets it up. "failed": the user must act. */
  readonly status: "ok" | "pending" | "failed";
  readonly found: string;
  /** Advice or further information. */
  readonly hint?: string;
}

/** Subject of the checks. */
export interface CheckContext {
  readonly session: Session;
  /** Client of this machine's Docker daemon. Undefined if no daemon answers. */
  readonly docker: Docker | undefined;
  readonly dockerResult: CheckResult;
}

/** A check. Returns no result if it doesn't apply to the stack. */
export type Check = (
  context: CheckContext,
) => readonly CheckResult[] | Promise<readonly CheckResult[]>;

import { basename } from "node:path";
import type { Session } from "../../project/session";
import { storeCommand } from "../../project/storeCommand";

/** Describes where a change of the tokens has taken effect, and what is left to do. */
export function appliedHint({ stack }: Session, isApplied: boolean): string {
  const file = basename(stack.file);
  return isApplied
    ? `The running store knows it. Commit ${file}, or the next deployment from another checkout undoes the change.`
    : `${file} has the change; ${storeCommand("up", stack.name)} applies it.`;
}

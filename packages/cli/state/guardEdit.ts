import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "@store/docker/replaceFile";

/** An edit of a file that hasn't taken effect yet. */
export interface GuardedEdit {
  /** Restores the previous content, unless the file was edited once more. Has no effect after another `undo`. */
  undo(): void;
  /** Makes the edit permanent. */
  keep(): void;
}

/**
 * Undoes an edit that was just made if this process exits before the edit has taken effect.
 *
 * @param before Content of the file before the edit.
 */
export function guardEdit(file: string, before: string): GuardedEdit {
  const after = readFileSync(file, "utf8");
  const keep = (): void => void process.off("exit", undo);
  const undo = (): void => {
    keep();
    if (existsSync(file) && readFileSync(file, "utf8") === after) replaceFile(file, before);
  };
  process.once("exit", undo);
  return { undo, keep };
}

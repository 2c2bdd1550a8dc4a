import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";
import type { State } from "../state";

/** Progress of moving a stack's state, so that an interrupted move can be run again. */
export interface Move {
  /** URL of the backend that the state comes from. */
  readonly from: string;
  /** URL of the new backend. */
  readonly to: string;
  /**
   * "copying": the stack uses the old backend, and the copy on the new one may be incomplete. "switched": the stack uses the new
   * backend, and the old state may not be renamed yet. "done": the old state is renamed.
   */
  readonly step: "copying" | "switched" | "done";
  /** Hash of the resources that were copied, see hashResources. */
  readonly hash: string;
}

/** A file of this checkout with the last move of a stack. */
export class MoveJournal {
  private readonly file: string;

  constructor(state: State, stack: string) {
    this.file = join(state.folder, "moves", `${stack}.json`);
  }

  /** Returns undefined if this checkout has never moved the stack. */
  read(): Move | undefined {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as Move;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  write(move: Move): void {
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    replaceFile(this.file, JSON.stringify(move));
  }

  clear(): void {
    rmSync(this.file, { force: true });
  }
}

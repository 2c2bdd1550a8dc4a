import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";
import { State } from "./state";

/**
 * Names of the images that a stack has used and no `down` has removed yet. The state has only those in use, and a label on the image can't name
 * the stack, because several stacks share an image.
 */
export class UsedImages {
  private readonly file: string;

  constructor(state: State, stack: string) {
    this.file = join(state.folder, "used-images", `${stack}.json`);
  }

  names(): string[] {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as string[];
    } catch {
      // The file doesn't exist before the first `up`. An unreadable file only means that `down` leaves images behind.
      return [];
    }
  }

  add(names: readonly string[]): void {
    this.replace([...new Set([...this.names(), ...names])]);
  }

  replace(names: readonly string[]): void {
    if (names.length === 0) {
      rmSync(this.file, { force: true });
      return;
    }
    mkdirSync(dirname(this.file), { recursive: true });
    replaceFile(this.file, JSON.stringify([...names].sort()));
  }
}

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";
import type { State } from "./state";

/** A Docker daemon that has a local stack's resources. */
export interface RecordedDaemon {
  /** Address at the time of the last command. */
  readonly host: string;
  /** ID in the daemon's data folder, which doesn't depend on its address. */
  readonly id: string;
}

/** A file with the Docker daemon of a local stack. */
export class StackDaemon {
  private readonly file: string;

  constructor(state: State, stack: string) {
    this.file = join(state.folder, "daemons", `${stack}.json`);
  }

  /** Returns undefined if no command has recorded the daemon yet. */
  read(): RecordedDaemon | undefined {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as RecordedDaemon;
    } catch {
      // The file doesn't exist, or its writer was killed.
      return undefined;
    }
  }

  record(daemon: RecordedDaemon): void {
    mkdirSync(dirname(this.file), { recursive: true });
    replaceFile(this.file, JSON.stringify(daemon));
  }

  /** Call it when the stack has no resources anymore. */
  clear(): void {
    rmSync(this.file, { force: true });
  }
}

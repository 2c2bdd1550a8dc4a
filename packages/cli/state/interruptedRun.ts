import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { EngineEvent } from "../engine/events";
import { State } from "./state";

/**
 * A note that a run has begun to change a stack and hasn't succeeded since, with the names of what it couldn't finish making.
 * The engine's record has those that were under way when the engine was killed. It doesn't have those whose creation it gave
 * up because the daemon went away, which may have made them all the same.
 */
export class InterruptedRun {
  private readonly file: string;

  constructor(state: State, stack: string) {
    this.file = join(state.folder, "unfinished", `${stack}.json`);
  }

  get exists(): boolean {
    return existsSync(this.file);
  }

  /** Names, as Docker has them, of what may be there without the engine's knowledge. */
  resourceNames(): string[] {
    if (!this.exists) return [];
    return JSON.parse(readFileSync(this.file, "utf8")) as string[];
  }

  /** To be called before a run, and after one that failed. */
  record(events: readonly EngineEvent[] = []): void {
    mkdirSync(dirname(this.file), { recursive: true });
    const names = new Set([...this.resourceNames(), ...failedCreations(events)]);
    writeFileSync(this.file, JSON.stringify([...names]));
  }

  clear(): void {
    rmSync(this.file, { force: true });
  }
}

export function failedCreations(events: readonly EngineEvent[]): string[] {
  return events.flatMap(({ resOpFailedEvent: event }) => {
    const name = event?.metadata.new?.inputs?.["name"];
    return event?.metadata.op.startsWith("create") && typeof name === "string" ? [name] : [];
  });
}

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "@store/docker/replaceFile";
import { EngineEvent } from "../engine/events";
import { State } from "./state";

/**
 * A file that exists while a stack's last run hasn't succeeded. It contains the names of the resources that the run failed to
 * create. The state contains creations that were pending when the engine was killed, but not those that failed because the
 * connection to Docker was lost: Docker may have completed them.
 */
export class InterruptedRun {
  private readonly file: string;

  constructor(state: State, stack: string) {
    this.file = join(state.folder, "unfinished", `${stack}.json`);
  }

  get exists(): boolean {
    return existsSync(this.file);
  }

  /** Docker's names of resources that may exist although the state doesn't contain them. */
  resourceNames(): string[] {
    if (!this.exists) return [];
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as string[];
    } catch (error) {
      // Releases until 2026-11-25 could be killed while they wrote it.
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  }

  /** Call it before a run, and with the events of a run that failed. */
  record(events: readonly EngineEvent[] = []): void {
    this.recordNames(failedCreations(events));
  }

  /** Records Docker's names of resources whose creation was interrupted. */
  recordNames(added: readonly string[]): void {
    mkdirSync(dirname(this.file), { recursive: true });
    const names = new Set([...this.resourceNames(), ...added]);
    replaceFile(this.file, JSON.stringify([...names]));
  }

  clear(): void {
    rmSync(this.file, { force: true });
  }
}

/** Docker's names of the resources that a run failed to create. */
export function failedCreations(events: readonly EngineEvent[]): string[] {
  return events.flatMap(({ resOpFailedEvent: event }) => {
    const inputs = event?.metadata.new?.inputs as Readonly<Record<string, unknown>> | null;
    const name = inputs?.["name"];
    return event?.metadata.op.startsWith("create") && typeof name === "string" ? [name] : [];
  });
}

import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/**
 * A line of the engine's event log (`--event-log`). The format is that of the engine's `apitype.EngineEvent`; only the kinds
 * and fields that the command looks at are declared.
 */
export interface EngineEvent {
  readonly diagnosticEvent?: Diagnostic;
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly summaryEvent?: {
    readonly result?: "succeeded" | "failed" | "canceled";
    readonly resourceChanges?: Readonly<Record<string, number>>;
  };
  readonly preludeEvent?: object;
  readonly stdoutEvent?: { readonly message: string };
}

export interface Diagnostic {
  readonly urn?: string;
  readonly message: string;
  readonly severity: "debug" | "info" | "info#err" | "warning" | "error";
  /** Only shown while it is the last one. */
  readonly ephemeral?: boolean;
}

export interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly new?: {
    readonly id?: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
  } | null;
}

/** @returns no events at all if the engine ended before it wrote any. */
export function readEvents(file: string): EngineEvent[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return parseEvents(text);
}

export function parseEvents(text: string): EngineEvent[] {
  return text.split("\n").flatMap((line) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as EngineEvent];
    } catch {
      // The last line of an engine that was killed while it wrote.
      return [];
    }
  });
}

/** The text of a diagnostic without colours, be they the engine's codes (`<{%fg 1%}>`) or the terminal's. */
export function plain(message: string): string {
  return stripVTControlCharacters(message.replace(/<\{%.*?%\}>/g, ""));
}

import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { EngineEvent as SdkEvent } from "@pulumi/pulumi/automation";

/** A line of the engine's event log (`--event-log`). */
export type EngineEvent = Omit<SdkEvent, "summaryEvent"> & {
  /** The SDK's type has no `result`. */
  summaryEvent?: SdkEvent["summaryEvent"] & { result?: "succeeded" | "failed" | "canceled" };
};

/** Returns an empty list if the engine ended before it wrote any event. */
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
      // An engine that was killed may leave an incomplete last line.
      return [];
    }
  });
}

/** Removes colours: the engine's codes (`<{%fg 1%}>`) and the terminal's. */
export function plain(message: string): string {
  return stripVTControlCharacters(message.replace(/<\{%.*?%\}>/g, ""));
}

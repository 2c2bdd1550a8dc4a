import { EngineEvent, plain } from "../engine/events";
import type { EngineError } from "./rule";

/**
 * Collects the errors of a failed run from its events and from the end of its stderr, such as an invalid configuration. Omits what the
 * engine canceled because of another error.
 */
export function collectErrors(events: readonly EngineEvent[], stderr: string): EngineError[] {
  const errors = allErrors(events, stderr);
  const causes = errors.filter(({ message }) => !/context canceled$/.test(message));
  return causes.length > 0 ? causes : errors;
}

function allErrors(events: readonly EngineEvent[], stderr: string): EngineError[] {
  const failedSteps = new Map(
    events.flatMap(({ resOpFailedEvent: event }) =>
      event ? [[event.metadata.urn, event.metadata] as const] : [],
    ),
  );
  const errors = messagesByUrn(events).flatMap(([urn, messages]): EngineError[] => {
    const step = failedSteps.get(urn);
    if (step) return [{ source: "resource", urn, step, message: rootCause(messages) }];
    return messages
      .filter((message) => !/^(update|preview|destroy|refresh) (failed|canceled)$/.test(message))
      .map((message) => ({
        source: "program",
        urn,
        message: rootCause([withoutWrapper(message)]),
      }));
  });
  const message = /^error: (.*)$/ms.exec(stderr)?.[1]?.trim();
  if (message === undefined) return errors;
  const isKnown = errors.some((error) => error.message.includes(message) || SUMMARY.test(message));
  return isKnown ? errors : [...errors, { source: "engine", message }];
}

/** The engine's last line after errors that its events have. */
const SUMMARY = /^(update|preview|destroy|refresh|resource operations?) (failed|canceled)\b/;

/** The error messages of each resource, by its URN; those of the program have the stack's URN or an empty one. */
function messagesByUrn(events: readonly EngineEvent[]): [string, string[]][] {
  const messages = new Map<string, string[]>();
  for (const { diagnosticEvent } of events) {
    if (diagnosticEvent?.severity !== "error") continue;
    const urn = diagnosticEvent.urn ?? "";
    messages.set(urn, [...(messages.get(urn) ?? []), plain(diagnosticEvent.message).trim()]);
  }
  return [...messages];
}

/**
 * Returns what the program or Azure says about a value, without the SDK's wrapper and stack trace:
 *
 *     Error: error serializing property "name": error serializing property "subnet": store:subnetId: …
 *         at …
 *
 * The stack trace of any other error is the evidence of a bug.
 */
function withoutWrapper(message: string): string {
  const inner = message.replace(/^Error: (error serializing property "[^"]*": )+/, "");
  const isMessage = /^(store:\w+: |invocation of \S+ returned an error: )/.test(inner);
  return isMessage ? inner.replace(/(\n\s+at .*)+$/, "") : message;
}

/**
 * Returns the innermost of messages that wrap each other:
 *
 *     1 error occurred:
 *         * creating urn:…: 1 error occurred:
 *         * container failed to be in healthy state
 *
 * A preview and a refresh put "Preview failed: " before it.
 */
function rootCause(messages: readonly string[]): string {
  const wrapped = messages.find((message) =>
    /^([A-Z]\w+ failed: )?1 error occurred:/.test(message),
  );
  const innermost = wrapped?.split(/\n\s*\* /).at(-1) ?? messages[0] ?? "";
  return (
    innermost
      .replace(/^creating urn:\S+: /, "")
      // The command itself is noise next to what it printed.
      .replace(/^(Process exited with|exit) status \d+: running ".*":\n(?=.)/, "")
      .replace(/^\s*sdk-v2\/\S+ sdk\.helper_schema: /, "")
      .replace(/: provider=\S+$/, "")
      .trim()
  );
}

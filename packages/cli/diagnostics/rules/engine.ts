import { shellQuote } from "../../../../components/shell/shell";
import { resourceName } from "../../state/checkpoint";
import { isHeld, type Lock, lockedError, staleLockError } from "../../state/locks";
import { findEngineLocks } from "../../state/state";
import {
  Context,
  Diagnostic,
  Found,
  keepsRunning,
  listNames,
  retryCommand,
  Rule,
  sameMessage,
  commandFor,
} from "../rule";
import { storeCommand } from "../../project/storeCommand";

export const stackLocked: Rule = {
  name: "stack-locked",
  sources: ["engine"],
  // Pulumi's file backends, and Pulumi Cloud.
  match: [/is currently locked by/, /Another update is currently in progress/],
  toDiagnostic: ({ error }, context) => {
    const { state, stack } = context.session;
    const lock = findEngineLocks(state, stack.name).find(isHeld) ?? lockIn(error.message);
    if (lock) return (isHeld(lock) ? lockedError : staleLockError)(stack.name, lock);
    return {
      summary: `Another run is working on the stack ${stack.name}.`,
      details: error.message.split("\n"),
      hint: `Wait until it is done, then: ${retryCommand(context)}\nIf it no longer runs: ${commandFor("pulumi cancel --yes", context)}`,
    };
  },
};

/** Reads the holder from the engine's message about a lock on a remote backend. */
function lockIn(message: string): Lock | undefined {
  const [, file, user, host, pid, since] =
    /^\s*(\S+): created by (.+)@(\S+) \(pid (\d+)\) at (\S+)$/m.exec(message) ?? [];
  if (file === undefined || host === undefined || since === undefined) return undefined;
  return { file, user, host, pid: Number(pid), since: new Date(since) };
}

/** A resource with data that the program no longer contains. */
export const protectedData: Rule = {
  name: "protected-data",
  sources: ["resource", "program"],
  match: [/cannot be deleted\s+because it is protected/],
  cause: () => "protected",
  toDiagnostic: protectedDataDiagnostic,
};

function protectedDataDiagnostic({ urns }: Found, context: Context): Diagnostic {
  const names = urns.map(resourceName).sort();
  // Names as in components/database/database.ts.
  const services = new Set(
    names.flatMap((name) => /^(.+)-data(-password)?$/.exec(name)?.[1] ?? []),
  );
  const folders = [...services].map((service) => `services/${service}`).join(", ");
  const retry = retryCommand(context);
  const restore = folders ? `Restore ${folders}` : "Restore the code that creates them";
  // URNs contain characters that are special to a shell.
  const quoted = urns.map(shellQuote).join(" ");
  return {
    summary: `Refusing to delete data: ${folders || "the code"} was removed, which would delete ${names.join(", ")}.`,
    hint:
      `No data was deleted, and running services keep running. ${restore}, then: ${retry}\n` +
      `Or delete the data permanently: ${commandFor(`pulumi state unprotect --yes ${quoted}`, context)} && ${retry}`,
  };
}

/** A resource with data that a changed input would replace. */
export const protectedReplacement: Rule = {
  name: "protected-replacement",
  sources: ["resource", "program"],
  match: [/unable to replace resource .*marked for protection/s],
  cause: () => "protected",
  toDiagnostic: ({ urns }, context) => ({
    summary: `Refusing to replace data: the change would replace ${urns.map(resourceName).sort().join(", ")} by empty ones.`,
    hint:
      `No data was deleted, and running services keep running. See what changes: ` +
      `${commandFor("preview --diff", context)}. Undo that change, then: ${retryCommand(context)}`,
  }),
};

export const unexpectedChanges: Rule = {
  name: "unexpected-changes",
  sources: ["engine"],
  match: [/^no changes were expected/],
  toDiagnostic: (_found, { command, session }) => ({
    summary: "Changes found (listed above), but --expect-no-changes was given.",
    hint:
      command === "preview"
        ? `Apply them: ${storeCommand("up", session.stack.name)}`
        : "The changes have been applied.",
  }),
};

export const resourceFailed: Rule = {
  name: "resource-failed",
  match: [/^/],
  cause: sameMessage,
  toDiagnostic: (found, context) => ({
    summary: `${listNames(found.urns.map(resourceName))}: ${found.error.message}`,
    hint: `${keepsRunning(context)}Fix the cause, then: ${retryCommand(context)}`,
  }),
};

export const engineFailed: Rule = {
  name: "engine-failed",
  sources: ["engine"],
  match: [/^/],
  cause: sameMessage,
  toDiagnostic: ({ error }, context) => ({
    summary: error.message,
    hint: `${commandFor("doctor", context)} checks what the engine needs.`,
  }),
};

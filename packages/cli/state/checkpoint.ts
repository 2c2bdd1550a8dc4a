import { readFileSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import { shellQuote } from "../../../components/shell/shell";

/** State of a stack. Only the fields that the CLI reads. */
export interface Checkpoint {
  /** Salt of the passphrase's key. */
  readonly salt?: string;
  readonly resources: readonly Resource[];
  /** Operations that were in progress when the engine was stopped. */
  readonly pending: readonly PendingOperation[];
}

export interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly protect?: boolean;
  /** The resource has been replaced; the engine deletes the original next. */
  readonly delete?: boolean;
  /** Time of creation, in ISO 8601. */
  readonly created?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface PendingOperation {
  readonly type: string;
  readonly resource: Resource;
}

/** The file with a stack's state is empty or incomplete, for example after a crash of the machine or on a full disk. */
export class UnreadableState extends CliError {
  constructor(file: string, cause: unknown) {
    super(`The state file ${file} is not valid JSON: it is empty or incomplete.`, {
      hint: restoreHint(file),
      cause,
    });
  }
}

function restoreHint(file: string): string {
  const backup = `${file}.bak`;
  try {
    parseCheckpoint(readFileSync(backup, "utf8"));
  } catch {
    return "Restore the file from a backup. Don't delete it: the stack's containers and volumes would be forgotten.";
  }
  return `Restore the state from before the last change: cp ${shellQuote(backup)} ${shellQuote(file)}`;
}

/**
 * Reads a file of the file backend. Returns undefined if there is no such stack.
 *
 * @throws UnreadableState
 */
export function readCheckpoint(file: string): Checkpoint | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return parseCheckpoint(text);
  } catch (error) {
    throw new UnreadableState(file, error);
  }
}

export function parseCheckpoint(text: string): Checkpoint {
  const file = JSON.parse(text) as CheckpointFile;
  const latest = file.checkpoint?.latest;
  return {
    salt: latest?.secrets_providers?.state?.salt,
    resources: latest?.resources ?? [],
    pending: latest?.pending_operations ?? [],
  };
}

/** Parses the output of `pulumi stack export`, which wraps the same content differently. */
export function parseExport(text: string): Checkpoint {
  const { deployment } = JSON.parse(text) as { deployment?: Deployment };
  return parseCheckpoint(JSON.stringify({ checkpoint: { latest: deployment } }));
}

/** Name of a resource in the program: what follows the third "::" of its URN. A name may have another one, as an IPv6 address has. */
export function resourceName(urn: string): string {
  const parts = urn.split("::");
  return parts.length > 3 ? parts.slice(3).join("::") : (parts.at(-1) ?? urn);
}

interface CheckpointFile {
  readonly checkpoint?: { readonly latest?: Deployment };
}

interface Deployment {
  readonly secrets_providers?: { readonly state?: { readonly salt?: string } };
  readonly resources?: readonly Resource[];
  readonly pending_operations?: readonly PendingOperation[];
}

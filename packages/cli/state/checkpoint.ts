import { readFileSync } from "node:fs";

/** The engine's last record of a stack, as a file backend keeps it. Only what the command looks at. */
export interface Checkpoint {
  /** Of the passphrase's key. */
  readonly salt?: string;
  readonly resources: readonly Resource[];
  /** What was under way when the engine was last stopped. */
  readonly pending: readonly PendingOperation[];
}

export interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly protect?: boolean;
  /** When it was made, in ISO 8601. */
  readonly created?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface PendingOperation {
  readonly type: string;
  readonly resource: Resource;
}

/** @returns undefined if there is no such stack. */
export function readCheckpoint(file: string): Checkpoint | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return parseCheckpoint(text);
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

/** Of an engine's `stack export`, which wraps the same in another way. */
export function parseExport(text: string): Checkpoint {
  const { deployment } = JSON.parse(text) as { deployment?: Deployment };
  return parseCheckpoint(JSON.stringify({ checkpoint: { latest: deployment } }));
}

/** The last part of a URN: the name that the program gave the resource. */
export function resourceName(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

export const CONTAINER_TYPE = "docker:index/container:Container";

interface CheckpointFile {
  readonly checkpoint?: { readonly latest?: Deployment };
}

interface Deployment {
  readonly secrets_providers?: { readonly state?: { readonly salt?: string } };
  readonly resources?: readonly Resource[];
  readonly pending_operations?: readonly PendingOperation[];
}

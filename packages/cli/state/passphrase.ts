import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CliError } from "@store/docker/cliError";
import type { Session } from "../project/session";
import { hasSalt } from "./stackFile";
import {
  hasUserPassphrase,
  passphraseFileInUse,
  passphraseHint,
  readStackCheckpoint,
  type State,
} from "./state";

/**
 * Returns the error if the file with this checkout's passphrase is missing although the stack's state needs it, or if the file is empty.
 * Undefined if another passphrase is used.
 *
 * @throws UnreadableState
 */
export function lostPassphrase(
  state: State,
  env: NodeJS.ProcessEnv = process.env,
): CliError | undefined {
  const file = join(state.folder, "passphrase");
  if (state.backend.kind === "user" || hasUserPassphrase(env)) return undefined;
  if (passphraseFileInUse(state) !== file) return undefined;
  const isMissing = !existsSync(file);
  if (!isMissing && readFileSync(file, "utf8").trim() !== "") return undefined;
  const { stack } = state;
  if (stack !== undefined && readStackCheckpoint(state, stack)?.salt !== undefined) {
    return new CliError(
      `The passphrase file ${file} is ${isMissing ? "missing" : "empty"}, but the secrets in the state of the stack ${stack} are encrypted with it.`,
      { hint: restoreHint() },
    );
  }
  if (isMissing) return undefined;
  return new CliError(`The passphrase file ${file} is empty.`, {
    hint: "Restore it from a backup. If no stack of this checkout has a state yet, delete it: the next command creates a new one.",
  });
}

/** Returns the cause, and what to do, after the engine has said that the passphrase is missing or incorrect. */
export function wrongPassphrase(
  { state, stack }: Session,
  env: NodeJS.ProcessEnv = process.env,
): { readonly summary: string; readonly hint: string } {
  const isWorkspace = state.backend.kind === "workspace";
  const file = passphraseFileInUse(state);
  if (hasUserPassphrase(env)) {
    const variable = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"].find(
      (name) => env[name] !== undefined,
    );
    const own = file !== undefined && existsSync(file) ? file : undefined;
    return {
      summary: `The passphrase in ${variable} isn't the one that encrypts the secrets of the stack ${stack.name}.`,
      hint: own
        ? `The variable has precedence over ${own}. If it is for another project: unset ${variable}`
        : `Set ${variable} to the stack's passphrase.`,
    };
  }
  if (state.backend.kind === "user" && state.backend.isStackChoice === true) {
    return {
      summary: `The passphrase of the shared stack ${stack.name} is missing or wrong.`,
      hint: passphraseHint(state),
    };
  }
  if (!isWorkspace) {
    return {
      summary: `The passphrase of the stack ${stack.name} at ${state.backend.url} isn't set.`,
      hint: "Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file with it.",
    };
  }
  if (existsSync(stack.file) && hasSalt(readFileSync(stack.file, "utf8"))) {
    return {
      summary: `The salt (encryptionsalt) in ${basename(stack.file)} belongs to another passphrase than this workspace's.`,
      hint:
        "Delete that line to use this workspace's own salt, or set the passphrase that belongs to the salt: " +
        "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.",
    };
  }
  return {
    summary: `The passphrase in ${file} isn't the one that encrypts the secrets in the state of the stack ${stack.name}.`,
    hint: restoreHint(),
  };
}

function restoreHint(): string {
  return (
    "Restore the file from a backup; without it, the secrets can't be decrypted.\n" +
    "If the stack was created with PULUMI_CONFIG_PASSPHRASE, set that variable again."
  );
}

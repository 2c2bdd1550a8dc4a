import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { parseDocument } from "yaml";
import { CliError } from "@store/docker/cliError";
import { replaceFile } from "@store/docker/replaceFile";
import type { Session } from "../../project/session";
import { STATE_BACKEND_KEY } from "../backend";
import { ensurePassphrase, hasUserPassphrase } from "../state";
import { editedText, stripSalt } from "../stackFile";
import type { MoveRequest } from "./moveState";

/**
 * Names the new backend, and the secrets that were encrypted again, in the stack's file.
 *
 * @param before Text of the file when the copy began.
 * @param copied Text of the file as `pulumi stack migrate` has written it.
 * @throws CliError if the file was edited since
 */
export function switchBackend(request: MoveRequest, before: string, copied: string): void {
  const { session, to, choice } = request;
  const { file } = session.stack;
  if (readFileSync(file, "utf8") !== before) {
    throw new CliError(
      `${basename(file)} was edited while the state was copied. Nothing was moved.`,
      {
        hint: "Run the command again.",
      },
    );
  }
  keepPassphrase(request);
  const document = parseDocument(copied);
  const key = `${session.project.name}:${STATE_BACKEND_KEY}`;
  if (choice === undefined) document.deleteIn(["config", key]);
  else document.setIn(["config", key], choice);
  const text = document.toString({ lineWidth: 0 });
  const after = to.kind === "workspace" ? stripSalt(text) : text;
  replaceFile(file, editedText(before, after) ?? before);
}

/** Keeps the passphrase of a shared stack in a file of its own, because other checkouts have other passphrases. */
function keepPassphrase({ session, engine, secretsProvider }: MoveRequest): void {
  const { passphraseFile } = session.state;
  const used = engine.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (secretsProvider !== "passphrase" || hasUserPassphrase() || passphraseFile === undefined)
    return;
  if (used === undefined || existsSync(passphraseFile)) return;
  mkdirSync(dirname(passphraseFile), { recursive: true, mode: 0o700 });
  copyFileSync(used, passphraseFile);
}

/** Adds the passphrase for the new backend to the environment of the engine, unless the old backend has one. */
export function withPassphrase({ state }: Session, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (hasUserPassphrase(env)) return env;
  return { ...env, PULUMI_CONFIG_PASSPHRASE_FILE: ensurePassphrase(state.folder) };
}

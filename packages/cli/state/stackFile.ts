import { parseDocument } from "yaml";
import { mergeChanges } from "./mergeConfig";

/**
 * Adds a salt to the text of a stack's configuration file. The engine keeps the salt of the passphrase's key in
 * Pulumi.STACK.yaml and adds it if it is missing. But the file is committed and each workspace has its own passphrase, so the
 * engine gets a copy with this workspace's salt, and its changes are copied back without the salt.
 */
export function addSalt(text: string, salt: string | undefined): string {
  if (salt === undefined || hasSalt(text)) return text;
  const document = parseDocument(text);
  if (document.contents === null) return `${lines(text)}${SALT_KEY}: ${salt}\n`;
  if (/^[{[]/m.test(text) || text.includes("\n...")) {
    document.set(SALT_KEY, salt);
    return document.toString();
  }
  return `${lines(text)}${SALT_KEY}: ${salt}\n`;
}

export function stripSalt(text: string): string {
  return text.replace(SALT_LINE, "");
}

function saltOf(text: string): string | undefined {
  return SALT_LINE.exec(text)?.[1];
}

export function hasSalt(text: string): boolean {
  return saltOf(text) !== undefined;
}

/** Returns the secrets provider that the engine has written into the file, such as azurekeyvault://…; undefined for a passphrase. */
export function secretsProviderIn(text: string): string | undefined {
  const provider: unknown = parseDocument(text).get("secretsprovider");
  return typeof provider === "string" ? provider : undefined;
}

/**
 * Returns the new text of the committed file after the engine has worked on the copy. Returns undefined if the file should not
 * change, also if the engine only reformatted it.
 */
export function restoredText(
  original: string,
  after: string,
  project?: string,
): string | undefined {
  if (after === original || stripSalt(after) === original) return undefined;
  return editedText(original, hasSalt(original) ? after : stripSalt(after), project);
}

/** Like {@link restoredText}, with a salt that the engine has added. */
export function editedText(original: string, after: string, project?: string): string | undefined {
  return original.trim() === "" ? after || undefined : mergeChanges(original, after, project);
}

const SALT_KEY = "encryptionsalt";
const SALT_LINE = /^encryptionsalt: *(\S+) *\r?\n?/m;

function lines(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

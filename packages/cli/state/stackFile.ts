import { parse, parseDocument } from "yaml";

/**
 * The engine keeps the salt of the passphrase's key in Pulumi.STACK.yaml and writes it there whenever it is missing. Ours is
 * a committed file and every checkout has a passphrase of its own, so the engine gets a copy with this checkout's salt, and
 * what it changes in the copy is taken back without the salt.
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

/**
 * What the committed file should hold after the engine has worked on the copy; undefined if it should stay as it is. That
 * the engine merely wrote the same in another form is no reason to touch it.
 */
export function restoredText(original: string, after: string): string | undefined {
  if (after === original || stripSalt(after) === original) return undefined;
  const kept = hasSalt(original) ? after : stripSalt(after);
  return canonical(kept) === canonical(original) ? undefined : kept;
}

const SALT_KEY = "encryptionsalt";
const SALT_LINE = /^encryptionsalt: *(\S+) *\r?\n?/m;

function lines(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** Equal for texts that mean the same to the engine, to which every scalar is text. */
function canonical(text: string): string {
  return JSON.stringify(parse(text), (_key, value: unknown) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  });
}

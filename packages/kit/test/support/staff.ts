import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The staff credentials of a service under test. */
export interface TestStaff {
  /** Name of the token. */
  readonly name: string;
  readonly token: string;
  /** The variable that names the file of the tokens' hashes. */
  readonly environment: { readonly STAFF_TOKENS_FILE: string };
  /** Headers of a staff request. */
  readonly headers: { readonly authorization: string };
  /** Replaces the tokens that are valid. Defaults to the one from the start. */
  admit(tokens?: Readonly<Record<string, string>>): void;
}

const folders = new Set<string>();
process.once("exit", () =>
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })),
);

/** Creates a token and the file of its hash, which is deleted when the process exits. */
export function createStaff(): TestStaff {
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  folders.add(folder);
  const token = randomBytes(16).toString("hex");
  const name = "clerk";
  const file = join(folder, "STAFF_TOKENS");
  const admit = (tokens: Readonly<Record<string, string>> = { [name]: token }) => {
    const lines = Object.entries(tokens).map(([one, its]) => `${one} ${sha256(its)}\n`);
    writeFileSync(file, lines.join(""), { mode: 0o600 });
  };
  admit();
  return {
    ...{ name, token, admit },
    environment: { STAFF_TOKENS_FILE: file },
    headers: { authorization: `Bearer ${token}` },
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The staff credentials of a service under test. */
export interface TestStaff {
  readonly token: string;
  readonly tokenFile: string;
  /** The variable that names the token file. */
  readonly environment: { readonly STAFF_TOKEN_FILE: string };
  /** Headers of a staff request. */
  readonly headers: { readonly authorization: string };
}

const folders = new Set<string>();
process.once("exit", () =>
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })),
);

/** Creates a token and its file, which is deleted when the process exits. */
export function createStaff(): TestStaff {
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  folders.add(folder);
  const token = randomBytes(16).toString("hex");
  const tokenFile = join(folder, "STAFF_TOKEN");
  writeFileSync(tokenFile, token, { mode: 0o600 });
  return {
    token,
    tokenFile,
    environment: { STAFF_TOKEN_FILE: tokenFile },
    headers: { authorization: `Bearer ${token}` },
  };
}

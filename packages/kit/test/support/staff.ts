import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The store's own people, as a service under test knows them. */
export interface TestStaff {
  readonly token: string;
  readonly tokenFile: string;
  /** What the service finds the token by. */
  readonly environment: { readonly STAFF_TOKEN_FILE: string };
  /** What a request of theirs carries. */
  readonly headers: { readonly authorization: string };
}

const folders = new Set<string>();
process.once("exit", () =>
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })),
);

/** Makes a token and its file, which goes when the process ends. */
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

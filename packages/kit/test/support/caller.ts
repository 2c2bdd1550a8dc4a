import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Token that all services of a test process send to each other, and the tests to internal routes. */
export const callerToken = randomBytes(16).toString("hex");

/** Headers of a request to an internal route. */
const callerHeaders = { authorization: `Bearer ${callerToken}` };

/** Services that are called by others in tests. */
const CALLED = ["inventory", "billing", "shipping", "other"];

let environment: Readonly<Record<string, string>> | undefined;

/** Returns the variables with which a service calls others and admits calls with {@link callerToken}, as the caller "test". */
export function callerEnvironment(): Readonly<Record<string, string>> {
  environment ??= createFiles();
  return environment;
}

/** Creates the files, which are deleted when the process exits. */
function createFiles(): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, "TOKEN");
  const callersFile = join(folder, "CALLERS");
  writeFileSync(tokenFile, callerToken);
  writeFileSync(callersFile, `test ${createHash("sha256").update(callerToken).digest("hex")}\n`);
  return {
    CALLERS_FILE: callersFile,
    ...Object.fromEntries(CALLED.map((name) => [`${name.toUpperCase()}_TOKEN_FILE`, tokenFile])),
  };
}

/** Adds the token to a request to an internal route, also to one that has the staff token. */
export function withCaller(path: string, init: RequestInit = {}): RequestInit {
  if (!path.startsWith("/internal/")) return init;
  return {
    ...init,
    headers: { ...Object.fromEntries(new Headers(init.headers)), ...callerHeaders },
  };
}

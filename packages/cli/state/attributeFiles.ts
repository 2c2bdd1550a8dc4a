import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { backendFolder } from "./backend";

/**
 * Removes the files STACK.json.attrs of a file backend that are no JSON. The engine's library writes such a file in place before it renames
 * STACK.json; if the engine is killed in between, no command can read the state: "failed to load checkpoint: EOF". The engine needs nothing
 * of the file, and writes it again.
 *
 * @param url The backend's URL; nothing is done unless it is a folder.
 * @see https://github.com/google/go-cloud/blob/v0.37.0/blob/fileblob/attrs.go
 */
export function removeIncompleteAttributes(url: string): void {
  const folder = backendFolder(url);
  if (folder === undefined) return;
  for (const file of attributeFiles(join(folder, ".pulumi", "stacks"))) {
    try {
      JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
      if (error instanceof SyntaxError) rmSync(file, { force: true });
      // Otherwise another engine has just renamed or removed the stack, or the engine reports that it can't read the file either.
    }
  }
}

function attributeFiles(stacks: string): string[] {
  try {
    return readdirSync(stacks, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".attrs"))
      .map((name) => join(stacks, name));
  } catch {
    // No stack yet, or a folder that isn't readable, which the engine reports with its name.
    return [];
  }
}

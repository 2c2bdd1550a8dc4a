import assert from "node:assert/strict";

/** Asserts that a command found or made no change. */
export function assertNoChange(output: string): void {
  assert.match(output, /\d+ unchanged/);
  assert.doesNotMatch(
    output,
    /\d+ (to (create|update|replace|delete)|created|updated|replaced|deleted)|\+-\d+/,
    output,
  );
}

/** Returns the names of the containers that were created since. */
export function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...after]
    .filter(([name, id]) => before.get(name) !== id)
    .map(([name]) => name)
    .sort();
}

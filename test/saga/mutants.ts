import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@store/kit/testing";
import type { ServiceName } from "./backEnd/backEnd.ts";

/** A change of a service's sources that removes one protection. */
export interface Mutant {
  readonly service: ServiceName;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

const folders = new Set<string>();
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * Copies a service, changes the copy and returns its folder.
 *
 * @throws Error if a text to replace doesn't occur exactly once. Then the mutant must be adapted to the changed source.
 */
export function makeMutant({ service, edits }: Mutant): string {
  const folder = mkdtempSync(join(tmpdir(), "store-mutant-"));
  folders.add(folder);
  const original = join(repositoryRoot, "services", service);
  cpSync(join(original, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(original, "package.json"), join(folder, "package.json"));
  // The copy lies outside the repository, so it needs a link to the packages: the service's own, or the repository's.
  const own = join(original, "node_modules");
  const shared = join(repositoryRoot, "node_modules");
  symlinkSync(existsSync(own) ? own : shared, join(folder, "node_modules"));
  for (const { file, from, to } of edits) {
    const path = join(folder, "src", file);
    const source = readFileSync(path, "utf8");
    const found = source.split(from).length - 1;
    if (found !== 1)
      throw new Error(
        `services/${service}/src/${file} contains this text ${found} times instead of once; adapt the mutant:\n${from}`,
      );
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
  }
  return folder;
}

/** Deletes a folder created by makeMutant. */
export function removeMutant(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

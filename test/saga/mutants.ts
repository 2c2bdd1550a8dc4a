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
import type { ServiceName } from "./backEnd.ts";

/** A service's sources without one of the things that protect it. */
export interface Mutant {
  readonly service: ServiceName;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

const folders = new Set<string>();
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * Copies a service and changes the copy. Gives its folder.
 *
 * @throws Error when a text that is to be changed isn't there exactly once: then the mutant must be brought up to date.
 */
export function makeMutant({ service, edits }: Mutant): string {
  const folder = mkdtempSync(join(tmpdir(), "store-mutant-"));
  folders.add(folder);
  const original = join(repositoryRoot, "services", service);
  cpSync(join(original, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(original, "package.json"), join(folder, "package.json"));
  // Node looks in the folders above, too: packages of the service's own first, then everybody's.
  const own = join(original, "node_modules");
  const shared = join(repositoryRoot, "node_modules");
  symlinkSync(existsSync(own) ? own : shared, join(folder, "node_modules"));
  for (const { file, from, to } of edits) {
    const path = join(folder, "src", file);
    const source = readFileSync(path, "utf8");
    const found = source.split(from).length - 1;
    if (found !== 1)
      throw new Error(
        `services/${service}/src/${file} has this ${found} times, not once:\n${from}`,
      );
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
  }
  return folder;
}

/** Removes what makeMutant made. */
export function removeMutant(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Cleanup } from "./cleanup";

/** Returns a PATH with one folder of links to all programs of this process's PATH except one. */
export function pathWithout(program: string, cleanup: Cleanup): string {
  const links = mkdtempSync(join(tmpdir(), "path-"));
  cleanup.add(() => rmSync(links, { recursive: true }));
  const seen = new Set([program]);
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      if (!seen.has(name)) symlinkSync(join(folder, name), join(links, name));
      seen.add(name);
    }
  }
  return links;
}

import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Returns a PATH with all programs of this process's PATH except one.
 *
 * @param links Empty folder. It gets a link to each program.
 */
export function pathWithout(program: string, links: string): string {
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

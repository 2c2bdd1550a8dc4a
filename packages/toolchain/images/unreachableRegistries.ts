import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { cacheFolder } from "../system/cache";

const REMEMBERED_MS = 5 * 60_000;

/** Remembers for 5 minutes which registries were unreachable, if finding that out took long. */
export class UnreachableRegistries {
  private readonly file = path.join(cacheFolder(), "unreachable-registries.json");
  private readonly fresh: Record<string, { reason: string; at: number }> = {};
  private readonly known: Record<string, { reason: string; at: number }>;

  constructor(private readonly daemonHost: string) {
    this.known = this.read();
  }

  recall(registry: string): string | undefined {
    const entry = this.known[this.keyOf(registry)];
    const age = entry === undefined ? Infinity : Date.now() - entry.at;
    // The age is negative if the clock was set back.
    return age >= 0 && age < REMEMBERED_MS ? entry?.reason : undefined;
  }

  remember(registry: string, reason: string): void {
    this.fresh[this.keyOf(registry)] = { reason, at: Date.now() };
  }

  save(): void {
    if (Object.keys(this.fresh).length === 0) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify({ ...this.known, ...this.fresh }));
  }

  private keyOf(registry: string): string {
    return `${registry} from ${this.daemonHost}`;
  }

  private read(): typeof this.known {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as typeof this.known;
    } catch (error) {
      // Partly written by a killed process; the file can be recreated.
      if (error instanceof SyntaxError) rmSync(this.file, { force: true });
      else if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return {};
    }
  }
}

/**
 * Measures runs without changes: `npm start` and `preview` of a store that is up, compared with an empty Pulumi program on the
 * same engine.
 *
 *     npx tsx bench/unchanged.ts [rounds]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyProgram, REPOSITORY } from "./emptyProgram";
import { Command, inTurn, measure, median, printTable } from "./measure";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  const folder = mkdtempSync(join(tmpdir(), "empty-program-"));
  try {
    const empty = await emptyProgram(folder);
    await measure({ name: "npm start", argv: ["npm", "start"], cwd: REPOSITORY });

    const commands: Command[] = [
      empty("preview, empty program", "preview"),
      { name: "./store preview", argv: ["./store", "preview"], cwd: REPOSITORY },
      empty("up, empty program", "up", "--yes", "--skip-preview"),
      { name: "npm start", argv: ["npm", "start"], cwd: REPOSITORY },
    ];
    const results = await inTurn(commands, rounds);

    const row = (name: string, baseline?: string): string[] => {
      const runs = results.get(name) ?? [];
      const seconds = runs.map((result) => result.seconds);
      const ratios = (baseline === undefined ? [] : (results.get(baseline) ?? [])).map(
        (result, i) => (seconds[i] ?? NaN) / result.seconds,
      );
      return [
        name,
        median(seconds).toFixed(2),
        `${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)}`,
        median(runs.map((result) => result.cpuSeconds)).toFixed(2),
        baseline === undefined ? "" : `${median(ratios).toFixed(2)}×`,
        Math.max(...runs.map((result) => result.peakMegabytes)).toFixed(0),
      ];
    };
    printTable(
      ["no changes", "median s", "range s", "CPU s", "to empty", "peak MB"],
      [
        row("preview, empty program"),
        row("./store preview", "preview, empty program"),
        row("up, empty program"),
        row("npm start", "up, empty program"),
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();

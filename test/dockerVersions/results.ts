import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { format, resolveConfig } from "prettier";
import { Measurements } from "./scenario";

/** Last result of an environment. */
export interface Result extends Measurements {
  /** Day of the run, such as 2026-11-28. */
  readonly date: string;
  /** "works", "refused with a remedy", or the failure. */
  readonly outcome: string;
}

type Results = Readonly<Record<string, Result>>;

const DATA = join(__dirname, "lastResults.json");
const PAGE = resolve(__dirname, "../../docs/tested-on.md");

/**
 * Stores a result in lastResults.json, and writes the table in docs/tested-on.md again. Rows that weren't run keep their last results.
 *
 * @param titles Titles of all environments, in the order of the table. Others are removed.
 */
export async function saveResult(
  title: string,
  result: Result,
  titles: readonly string[],
): Promise<void> {
  const stored = existsSync(DATA) ? (JSON.parse(readFileSync(DATA, "utf8")) as Results) : {};
  const all: Results = { ...stored, [title]: result };
  const known = Object.fromEntries(
    titles.flatMap((name) => {
      const found = all[name];
      return found === undefined ? [] : [[name, found]];
    }),
  );
  writeFileSync(DATA, `${JSON.stringify(known, undefined, 2)}\n`);
  const text = readFileSync(PAGE, "utf8").replace(
    /(<!-- results -->\n)[^]*(<!-- end of results -->)/,
    (_all, begin: string, end: string) => `${begin}\n${renderTable(known)}\n\n${end}`,
  );
  const style = await resolveConfig(PAGE);
  writeFileSync(PAGE, await format(text, { ...style, parser: "markdown" }));
}

const HEADINGS = [
  ...["environment", "result", "date", "Docker, storage driver", "Node", "first `up`"],
  ...["rollout", "requests, lost", "longest gap", "`preview --refresh`", "`down`"],
];

/** Renders the table in Markdown. */
export function renderTable(results: Results): string {
  const rows = Object.entries(results).map(([title, result]) => row(title, result));
  return [HEADINGS, HEADINGS.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function row(title: string, result: Result): string[] {
  const { outcome, date, docker = "", node = "", requests, lostRequests, longestGapMs } = result;
  return [
    ...[title, outcome, date, docker, node, withUnit(result.up, "s")],
    withUnit(result.rollout, "s"),
    requests === undefined ? "" : `${requests}, ${lostRequests ?? 0}`,
    withUnit(longestGapMs, "ms"),
    withUnit(result.preview, "s"),
    withUnit(result.down, "s"),
  ];
}

function withUnit(value: number | undefined, unit: string): string {
  return value === undefined ? "" : `${value} ${unit}`;
}

import { createInterface } from "node:readline/promises";
import { createColors } from "picocolors";
import type { CliError } from "@store/docker/cliError";
import type { Reporter } from "@store/toolchain/system/report";

export type { Reporter };

/** Colours for stdout. Unlike picocolors' own, they are off if stdout isn't a terminal, also if CI is set. */
export const colors = createColors(usesColours(process.stdout));
const errColors = createColors(usesColours(process.stderr));

function usesColours(stream: NodeJS.WriteStream): boolean {
  if (process.env["NO_COLOR"]) return false;
  return Boolean(process.env["FORCE_COLOR"]) || (stream.isTTY && process.env["TERM"] !== "dumb");
}

/**
 * Creates a reporter that writes to stderr, so that stdout contains only the command's result. A progress line overwrites the
 * previous one on a terminal; elsewhere at most one is written every 5 s.
 */
export function reporter(stream: NodeJS.WriteStream = process.stderr): Reporter {
  let overwritable = false;
  let lastProgress = 0;
  const line = (text: string): void => {
    stream.write(`${overwritable ? "\r\x1b[K" : ""}${text}\n`);
    overwritable = false;
  };
  return {
    step: (title) => line(`${errColors.bold("»")} ${title}`),
    note: (text) => line(`  ${text}`),
    progress: (text) => {
      if (stream.isTTY) {
        const width = stream.columns - 1;
        stream.write(`\r\x1b[K${errColors.dim(`  ${text}`.slice(0, width))}`);
        overwritable = true;
      } else if (Date.now() - lastProgress > 5000) {
        lastProgress = Date.now();
        line(`  ${text}`);
      }
    },
  };
}

export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && !process.env["CI"];
}

export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

export function renderError({ summary, details, detailsTitle, hint }: CliError): string {
  const detailLines = details.length
    ? [
        "",
        ...(detailsTitle ? [`  ${detailsTitle}:`] : []),
        ...details.map((line) => `    ${errColors.dim(line)}`),
      ]
    : [];
  const hintLines = hint ? ["", ...indent(hint)] : [];
  return [`${errColors.red("error:")} ${summary}`, ...detailLines, ...hintLines].join("\n");
}

function indent(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Adds colours to the padded cell. */
  readonly paint?: (text: string, row: Row) => string;
}

export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((line) => line[i]?.length ?? 0)),
  );
  const pad = (text: string, i: number): string =>
    columns[i]?.align === "right" ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
  const head = colors.dim(
    columns
      .map((column, i) => pad(column.title, i))
      .join("  ")
      .trimEnd(),
  );
  const body = rows.map((row, r) =>
    columns
      .map((column, i) => {
        const text = pad(cells[r]?.[i] ?? "", i);
        return column.paint ? column.paint(text, row) : text;
      })
      .join("  ")
      .trimEnd(),
  );
  return [head, ...body].join("\n");
}

/** "3 s", "5 min", "2 h 10 min", "3 d 4 h". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [m, h, d] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86400)];
  if (d > 0) return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
  if (h > 0) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
  return m > 0 ? `${m} min` : `${s} s`;
}

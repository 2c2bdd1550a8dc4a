/**
 * Runs a bench, and puts what it prints into docs/figures.md, in the place of what it printed before, with the date, the machine and
 * the commit.
 *
 *     npm run figures -- gateway|store [what the bench takes]
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const FILE = join(__dirname, "../docs/figures.md");

function main(): void {
  const [bench = "", ...args] = process.argv.slice(2);
  const text = readFileSync(FILE, "utf8");
  const block = new RegExp(`(<!-- figures: ${bench} -->\n)[^]*(<!-- end of figures: ${bench} -->)`);
  if (!/^[a-z]+$/.test(bench) || !block.test(text)) {
    console.error(`docs/figures.md has no figures of "${bench}". Say gateway or store.`);
    process.exitCode = 1;
    return;
  }
  // Before the bench: what is committed meanwhile wasn't measured.
  const where = circumstances();
  const printed = execFileSync("npx", ["tsx", `bench/${bench}.ts`, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  writeFileSync(
    FILE,
    text.replace(block, (_all, begin: string, end: string) =>
      [begin, where, "", apart(printed), "", end].join("\n"),
    ),
  );
  execFileSync("npx", ["prettier", "--write", FILE], { stdio: "inherit" });
}

function circumstances(): string {
  const commit = run("git", "rev-parse", "--short", "HEAD");
  const changed = run("git", "status", "--porcelain") === "" ? "" : " with changes";
  const docker = run("docker", "version", "--format", "{{.Server.Version}}");
  const date = new Date().toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${date}, commit ${commit}${changed}, ${cpus().length} cores, ${memory} GiB, Docker ${docker}`;
}

/** Markdown takes tables that touch for one. */
function apart(printed: string): string {
  return printed.trim().replaceAll(/\n(?=\|[^\n]*\n\|-)/g, "\n\n");
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8" }).trim();
}

main();

/**
 * Runs a benchmark, and replaces its figures in docs/figures.md, with date, machine and commit.
 *
 *     npm run figures -- gateway|tls|https|connections|store|releases|rollout|health|startup|swarm [arguments of the benchmark]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const FILE = join(__dirname, "../docs/figures.md");

function main(): void {
  const [bench = "", ...args] = process.argv.slice(2);
  const text = readFileSync(FILE, "utf8");
  const block = new RegExp(`(<!-- figures: ${bench} -->\n)[^]*(<!-- end of figures: ${bench} -->)`);
  if (!/^[a-z]+$/.test(bench) || !block.test(text)) {
    console.error(
      `docs/figures.md has no figures of a benchmark "${bench}". Usage: npm run figures -- gateway|tls|https|connections|store|releases|rollout|health|startup|swarm`,
    );
    process.exitCode = 1;
    return;
  }
  // Before the benchmark: later commits aren't measured.
  const measured = environmentLine();
  const { status, stdout } = spawnSync("npx", ["tsx", `bench/${bench}.ts`, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) {
    console.error("The benchmark failed, so docs/figures.md is unchanged.");
    process.exitCode = 1;
    return;
  }
  writeFileSync(
    FILE,
    text.replace(block, (_all, begin: string, end: string) =>
      [begin, measured, "", separateTables(stdout), "", end].join("\n"),
    ),
  );
  execFileSync("npx", ["prettier", "--write", FILE], { stdio: "inherit" });
}

function environmentLine(): string {
  const commit = run("git", "rev-parse", "--short", "HEAD");
  const changed = run("git", "status", "--porcelain") === "" ? "" : " with changes";
  const docker = run("docker", "version", "--format", "{{.Server.Version}}");
  const date = new Date().toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${date}, commit ${commit}${changed}, ${cpus().length} cores, ${memory} GiB, Docker ${docker}`;
}

/** Separates adjacent tables by an empty line; Markdown would join them. */
function separateTables(printed: string): string {
  return printed.trim().replaceAll(/\n(?=\|[^\n]*\n\|-)/g, "\n\n");
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8" }).trim();
}

main();

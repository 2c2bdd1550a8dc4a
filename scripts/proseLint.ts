/**
 * Checks the rules of the house style that a program can check: how docstrings begin, which words the glossary replaces, and the
 * length of commit titles. Run by `npm run lint`; `tsx scripts/proseLint.ts FOLDER...` checks part of the repository.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import glossary from "./glossary.json";

const ROOT = join(__dirname, "..");

/** Limit of a commit title in characters. */
const TITLE_LENGTH = 72;

/** The last commit before the rule for titles. */
const FIRST_CHECKED = "52f0fdf";

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** Openings that make a reader guess the subject of the sentence. */
const OPENING =
  /^(What|Whatever|Whether|Where|Wherever|Who|Whoever|Whose|Whom|Of|By|How|Nothing|Nobody)\b/;

const PROSE = Object.entries(glossary.prose).map(([words, instead]) => ({
  pattern: new RegExp(`\\b(${words})\\b`, "i"),
  instead,
}));

const NAMES = Object.entries(glossary.names).map(([words, instead]) => ({
  pattern: new RegExp(
    `(?<![A-Za-z])(${words})(?![a-z])|(?<=[a-z])(${capitalized(words)})(?![a-z])`,
  ),
  instead,
}));

/** Returns what breaks a rule in the text of a source file, in the order of its lines. */
export function checkSource(file: string, text: string): Problem[] {
  const problems: Problem[] = [];
  let inBlock = false;
  let blockOpens = false;
  text.split("\n").forEach((content, index) => {
    const report = (problem: string): void =>
      void problems.push({ file, line: index + 1, problem });
    const starts = /^\s*\/\*\*?/.test(content);
    const comment = commentIn(content, inBlock);
    if (starts) {
      inBlock = true;
      blockOpens = true;
    }
    if (comment !== undefined) {
      const sentence = comment.replace(/^@\w+\s*/, "").trim();
      if (sentence !== "" && blockOpens) {
        const opening = OPENING.exec(sentence)?.[0];
        if (opening !== undefined) {
          report(`a docstring opens with "${opening}"; start with a noun phrase or a verb`);
        }
        blockOpens = false;
      }
      checkWords(comment, PROSE, report);
    }
    if (inBlock && content.includes("*/")) inBlock = false;
    const code = comment === undefined ? withoutStrings(content) : "";
    checkWords(code, NAMES, report);
    checkWords(stringsOf(comment === undefined ? content : ""), PROSE, report);
  });
  return problems;
}

/** Returns what breaks a rule in a page of prose. */
export function checkPage(file: string, text: string): Problem[] {
  return text.split("\n").flatMap((content, index) => {
    const problems: Problem[] = [];
    checkWords(content.replace(/`[^`]*`/g, ""), PROSE, (problem) =>
      problems.push({ file, line: index + 1, problem }),
    );
    return problems;
  });
}

/** Returns the titles that are too long. */
export function checkTitles(titles: readonly string[]): string[] {
  return titles.filter((title) => title.length > TITLE_LENGTH);
}

function checkWords(
  text: string,
  words: readonly { readonly pattern: RegExp; readonly instead: string }[],
  report: (problem: string) => void,
): void {
  for (const { pattern, instead } of words) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) report(`"${found}": ${instead}`);
  }
}

function commentIn(content: string, inBlock: boolean): string | undefined {
  if (inBlock || /^\s*\/\*/.test(content)) {
    return content.replace(/^\s*(\/\*\*?|\*\/|\*)?\s?/, "").replace(/\*\/\s*$/, "");
  }
  return /^\s*(?:\/\/|#)\s?(.*)$/.exec(content)?.[1];
}

function withoutStrings(content: string): string {
  return content.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, '""').replace(/\/\/.*$/, "");
}

function stringsOf(content: string): string {
  return [...content.matchAll(/(["'`])((?:\\.|(?!\1).)*)\1/g)]
    .map(([, , text]) => text)
    .join(" \n ");
}

function capitalized(words: string): string {
  return words
    .split("|")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("|");
}

function git(...args: string[]): string[] {
  return execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\n").filter(Boolean);
}

function main(folders: readonly string[]): void {
  const files = git("ls-files", "--cached", "--others", "--exclude-standard", ...folders).filter(
    (file) => !IGNORED.test(file) && existsSync(join(ROOT, file)),
  );
  const problems = files.flatMap((file) => {
    const text = (): string => readFileSync(join(ROOT, file), "utf8");
    if (/\.md$/.test(file)) return checkPage(file, text());
    return /\.(ts|cjs|mjs|sh|go)$/.test(file) ? checkSource(file, text()) : [];
  });
  for (const { file, line, problem } of problems) console.log(`${file}:${line}: ${problem}`);
  const titles = checkTitles(commitTitles());
  for (const title of titles) {
    console.log(`A commit's title has over ${TITLE_LENGTH} characters: ${title}`);
  }
  const count = problems.length + titles.length;
  if (count === 0) return;
  console.log(
    `\n${count} problems. The glossary is scripts/glossary.json, the rules are in CONTRIBUTING.md.`,
  );
  process.exitCode = 1;
}

/** Files that this project doesn't write, and those that hold the rules themselves. */
const IGNORED =
  /^scripts\/(glossary\.json|proseLint\.ts)$|^test\/unit\/scripts\/proseLint|\.schema\.json$|docker-entrypoint\.sh$|^CHANGELOG\.md$/;

/** The titles since the rule began; none where the history isn't there, as in a shallow clone. */
function commitTitles(): string[] {
  try {
    return git("log", "--no-merges", "--format=%s", `${FIRST_CHECKED}..HEAD`);
  } catch {
    return [];
  }
}

if (require.main === module) main(process.argv.slice(2));

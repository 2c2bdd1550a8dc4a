import { posix } from "node:path";
import { PatternError, toRegExp } from "./goRegExp";

/**
 * Patterns of a .dockerignore file with the semantics of Docker's builder, BuildKit. Ported from github.com/moby/patternmatcher and
 * github.com/tonistiigi/fsutil (filter.go), because the npm packages for it treat parent folders, exceptions and `**` differently, so
 * that the content tag would miss a file that the builder sees. test/unit/components/dockerignore.test.ts compares it with BuildKit.
 */
export class DockerIgnore {
  private readonly patterns: readonly Pattern[];
  /** True if an exception has a wildcard other than at its end, so that any folder may hold an exception. */
  private readonly hasOpenException: boolean;

  /** @throws PatternError if a pattern is invalid; BuildKit refuses the build, too. */
  constructor(lines: readonly string[]) {
    this.patterns = lines.flatMap((line) => parsePattern(line) ?? []);
    this.hasOpenException = this.patterns.some(
      ({ isException, text }) => isException && /[*[\]?^\\]/.test(withoutTrailingWildcard(text)),
    );
  }

  /** Parses the text of a .dockerignore file. */
  static parse(text: string): DockerIgnore {
    return new DockerIgnore(readLines(text));
  }

  /**
   * Matches a path relative to the context.
   *
   * @param parent Result for the folder that holds the path. Defaults to none: the path lies in the context's root.
   * @throws PatternError if a pattern is invalid.
   */
  match(path: string, parent?: Match): Match {
    let ignored = false;
    const byPattern = this.patterns.map((pattern, index) => {
      const matches =
        parent?.byPattern[index] === true ||
        // A pattern that can't change the result isn't evaluated, which also counts as no match for the paths below.
        (pattern.isException === ignored && pattern.matches(path));
      if (matches) ignored = !pattern.isException;
      return matches;
    });
    return { ignored, byPattern };
  }

  /** Returns true if an exception may include a path below this ignored folder. */
  mayHoldException(folder: string): boolean {
    return (
      this.hasOpenException ||
      this.patterns.some(
        ({ isException, text }) =>
          isException && `${withoutTrailingWildcard(text)}/`.startsWith(`${folder}/`),
      )
    );
  }
}

/** Result for a path. */
export interface Match {
  readonly ignored: boolean;
  /** True for each pattern that matches the path or a folder above it. */
  readonly byPattern: readonly boolean[];
}

interface Pattern {
  readonly text: string;
  /** True for a pattern that starts with "!". */
  readonly isException: boolean;
  readonly matches: (path: string) => boolean;
}

/** Returns the patterns of a file as package ignorefile of patternmatcher does. */
function readLines(text: string): string[] {
  return text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map(trimSpace)
    .filter((line) => line !== "")
    .map((line) => {
      const isException = line.startsWith("!");
      const pattern = isException ? trimSpace(line.slice(1)) : line;
      const cleaned = pattern === "" ? "" : clean(pattern);
      return (isException ? "!" : "") + (cleaned.length > 1 ? cleaned.replace(/^\//, "") : cleaned);
    });
}

function parsePattern(line: string): Pattern | undefined {
  const trimmed = trimSpace(line);
  if (trimmed === "") return undefined;
  const cleaned = clean(trimmed);
  const isException = cleaned.startsWith("!");
  const text = isException ? cleaned.slice(1) : cleaned;
  if (text === "" || !isAccepted(text)) throw new PatternError(`the pattern "${line}" is invalid`);
  return { text, isException, matches: compile(text) };
}

/** Returns filepath.Clean of Go. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 ? normal.replace(/\/$/, "") : normal;
}

/** Returns strings.TrimSpace of Go: unlike `trim`, it removes U+0085 and keeps U+FEFF. */
function trimSpace(text: string): string {
  return text.replace(/^(?:[^\S\ufeff]|\u0085)+|(?:[^\S\ufeff]|\u0085)+$/g, "");
}

function withoutTrailingWildcard(text: string): string {
  return text.replace(/\/\*\*$/, "").replace(/\/\*$/, "");
}

/**
 * Returns true if filepath.Match(text, ".") of Go reports no error. It checks the part up to the first "*", and the part between
 * that and the next one only if the first part matches ".".
 */
function isAccepted(text: string): boolean {
  const [, first = "", rest = ""] = PART.exec(text) ?? [];
  if (!WELL_FORMED.test(first)) return false;
  const matchesDot = /^\\?\.$|^\?$/.test(first) || (/^\[/.test(first) && isClassWithDot(first));
  return !matchesDot || WELL_FORMED.test(PART.exec(rest)?.[1] ?? "");
}

/** A part without "*" outside of brackets, and what follows it. */
const PART = /^\**((?:\\[^]?|\[(?:\\[^]|[^\]\\])*(?:\]|$)|[^*[\\])*)([^]*)$/;

const CHARACTER = String.raw`(?:\\[^]|[^\\\]-])`;
const WELL_FORMED = new RegExp(
  String.raw`^(?:\[(?:\^|(?!\^))(?:${CHARACTER}(?:-${CHARACTER})?)+\]|\\[^]|[^\\[])*$`,
  "u",
);

function isClassWithDot(part: string): boolean {
  if (!/^\[(\\[^]|[^\]\\])*\]$/.test(part)) return false;
  try {
    return toRegExp(part, `^${part}$`).test(".");
  } catch {
    // A range such as [b-a], which contains nothing.
    return false;
  }
}

/** Characters that are special in a regular expression, but not in a pattern. */
const ESCAPED = new Set(".+()|{}$");

/** Compiles a pattern as `compile` of patternmatcher does, including its special cases for `**` at the start and the end. */
function compile(text: string): (path: string) => boolean {
  let type: "exact" | "prefix" | "suffix" | "regexp" = "exact";
  let regexp = "^";
  const characters = Array.from(text);
  for (let at = 0, step = 0; at < characters.length; step++) {
    const character = characters[at++] ?? "";
    if (character === "*" && characters[at] === "*") {
      at += characters[at + 1] === "/" ? 2 : 1;
      if (at < characters.length) {
        regexp += "(.*/)?";
        type = "regexp";
      } else if (type === "exact") {
        type = "prefix";
      } else {
        regexp += ".*";
        type = "regexp";
      }
      if (step === 0) type = "suffix";
    } else if (character === "*" || character === "?") {
      regexp += character === "*" ? "[^/]*" : "[^/]";
      type = "regexp";
    } else if (character === "\\") {
      if (at < characters.length) type = "regexp";
      regexp += `\\${characters[at++] ?? ""}`;
    } else {
      regexp += ESCAPED.has(character) ? `\\${character}` : character;
      if (character === "[" || character === "]") type = "regexp";
    }
  }
  return matcher(text, type, `${regexp}$`);
}

function matcher(text: string, type: string, regexp: string): (path: string) => boolean {
  switch (type) {
    case "exact":
      return (path) => path === text;
    case "prefix":
      return (path) => path.startsWith(text.slice(0, -2));
    case "suffix": {
      const suffix = text.slice(2);
      return (path) =>
        path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
    }
    default: {
      // Compiled at the first use, because BuildKit accepts an invalid expression that is never used.
      let compiled: RegExp | undefined;
      return (path) => (compiled ??= toRegExp(text, regexp)).test(path);
    }
  }
}

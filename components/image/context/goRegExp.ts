/** A pattern that the builder would refuse, or that can't be evaluated as the builder does. */
export class PatternError extends Error {}

/**
 * Converts a regular expression of Go (RE2) that BuildKit makes of a .dockerignore pattern.
 *
 * @param pattern The pattern, for messages.
 * @throws PatternError for an expression that is invalid in Go, or that uses what only Go knows, such as `[[:alpha:]]`.
 */
export function toRegExp(pattern: string, source: string): RegExp {
  let result = "";
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const character = source[at] ?? "";
    if (character === "\\") {
      at++;
      result += escaped(pattern, source.codePointAt(at), inClass);
      if ((source.codePointAt(at) ?? 0) > 0xffff) at++;
    } else if (inClass) {
      if (/^\[[:.=]/.test(source.slice(at, at + 2))) throw unsupported(pattern);
      inClass = character !== "]";
      result += character === "[" ? "\\[" : character;
    } else if (character === "[") {
      inClass = true;
      const start = /^\[\^?\]?/.exec(source.slice(at))?.[0] ?? "[";
      at += start.length - 1;
      result += start.replace("]", "\\]");
    } else {
      // In JavaScript "." excludes more kinds of line ends.
      result += character === "." ? "[^\\n]" : character === "]" ? "\\]" : character;
    }
  }
  try {
    return new RegExp(result, "u");
  } catch (error) {
    throw new PatternError(`the pattern "${pattern}" is invalid`, { cause: error });
  }
}

/** Converts an escaped character. Go gives a meaning to some letters and rejects others. */
function escaped(pattern: string, code: number | undefined, inClass: boolean): string {
  if (code === undefined) throw new PatternError(`the pattern "${pattern}" is invalid`);
  const character = String.fromCodePoint(code);
  if (/[A-Za-z0-9]/.test(character)) throw unsupported(pattern);
  const isSpecial = character === "-" ? inClass : /[\^$\\.*+?()[\]{}|/]/.test(character);
  return isSpecial ? `\\${character}` : character;
}

function unsupported(pattern: string): PatternError {
  return new PatternError(
    `the pattern "${pattern}" isn't supported: write it without a backslash before a letter and without [: :]`,
  );
}

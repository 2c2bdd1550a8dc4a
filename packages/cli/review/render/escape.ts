/**
 * Texts from names, files, errors and policies are untrusted: they must not become Markdown, HTML, links, mentions or references on
 * GitHub, and must not break out of a table's cell or a code block.
 */

/** Invisible, and splits a word for GitHub's mentions, references and links. */
const ZERO_WIDTH_SPACE = "\u200b";

/** Characters that end a line or change the direction or look of the text around them. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;

function visible(text: string): string {
  return text.replace(/\r\n?|\n/g, "␤").replace(INVISIBLE, "\ufffd");
}

/** Escapes running text on one line. */
export function plainText(text: string): string {
  return (
    visible(text)
      // Mentions, references to issues and commits, and links: GitHub finds them in the rendered text, where entities are decoded.
      .replace(/[@#]|(?<=\bGH)-|(?<=:)\//gi, (found) => found + ZERO_WIDTH_SPACE)
      .replace(/(?<=\bwww)(?=\.)|\b(?=[0-9a-f]{7,40}\b)/gi, ZERO_WIDTH_SPACE)
      // Words at the start of a line that begin a heading, a list, a quotation or an indented block.
      .replace(/^\s*([-+=>]|\d+[.)])/, (start) => `${ZERO_WIDTH_SPACE}${start.trim()}`)
      .trim()
      .replace(/[&<>`*_{}[\]|~\\$^]/g, entity)
  );
}

/** Escapes running text and keeps its lines, up to a number of lines. */
export function paragraphs(text: string, limit = 20): string {
  const lines = text.split(/\r\n?|\n/).map((line) => plainText(line.trim()));
  const shown = lines.filter((line) => line !== "").slice(0, limit);
  return shown.join("<br>\n");
}

const PLAIN_CODE = /^[\w .,:;/=+()→–%-]*[\w./)%-]$/;

/** Shows a name or a value as code. Safe in a table's cell. */
export function code(text: string): string {
  const shown = visible(text);
  if (PLAIN_CODE.test(shown) && !/^ | $/.test(shown)) return `\`${shown}\``;
  // GitHub looks for mentions in <code> as little as in a code span, and entities are decoded there, unlike in a code span.
  return `<code>${shown.replace(/[^\w ./:=+()→–%-]/gu, entity)}</code>`;
}

/** Returns a text for a line of a fenced code block. */
export function codeLine(text: string): string {
  return visible(text);
}

/** Returns a fence that no line of the block ends. */
export function fence(lines: readonly string[]): string {
  const runs = lines.flatMap((line) => line.match(/`+/g) ?? []);
  return "`".repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
}

function entity(character: string): string {
  return `&#${character.codePointAt(0) ?? 0xfffd};`;
}

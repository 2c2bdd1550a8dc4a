import { readFileSync } from "node:fs";
import { relative } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { CliError } from "@store/docker/cliError";
import type { Project, Stack } from "./project";

/**
 * Checks the stack's file for what the engine refuses without naming the key or the line, or ignores. The program checks the values
 * (config/).
 *
 * @throws CliError with all mistakes
 */
export function checkStackFile(project: Project, stack: Stack): void {
  const mistakes = stackFileMistakes(readFileSync(stack.file), project);
  if (mistakes.length === 0) return;
  const name = relative(project.root, stack.file);
  throw new CliError(mistakes.map((mistake) => `${name}, ${mistake}`).join("\n  "), {
    hint: `Nothing was changed. Correct ${name}, then run the command again.`,
  });
}

/** Returns a message for each mistake, which starts with the line: "line 3: …". */
export function stackFileMistakes(
  bytes: Buffer,
  project: Pick<Project, "name" | "keys">,
): string[] {
  const encoding = encodingMistake(bytes);
  if (encoding !== undefined) return [encoding];
  const lines = new LineCounter();
  const documents = parseAllDocuments(bytes.toString("utf8"), {
    lineCounter: lines,
    prettyErrors: false,
  });
  // An empty file has no document.
  const mistakes = "empty" in documents ? [] : documentMistakes(documents, project);
  return mistakes.map(({ offset, problem }) => `line ${lines.linePos(offset).line}: ${problem}`);
}

interface Mistake {
  readonly offset: number;
  readonly problem: string;
}

function encodingMistake(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  // eslint-disable-next-line no-control-regex
  const [character] = /[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f]/.exec(text) ?? [];
  if (character === undefined) return undefined;
  const line = text.split(character, 1)[0]?.split("\n").length;
  return `line ${line}: ${character === "\ufffd" ? "not valid UTF-8" : "a control character"}. Save the file as UTF-8 text.`;
}

function documentMistakes(
  [document, second]: readonly Document.Parsed[],
  project: Pick<Project, "name" | "keys">,
): Mistake[] {
  if (document === undefined) return [];
  if (document.errors.length > 0) {
    return document.errors.map(({ pos: [offset], message }) => ({
      offset,
      problem: `${message.replace(/\.$/, "")}.`,
    }));
  }
  if (second) {
    const problem = "a second document begins here (---), which Pulumi ignores. Remove it.";
    return [{ offset: second.range[0], problem }];
  }
  const { contents } = document;
  if (isNull(contents)) return [];
  if (!isMap(contents))
    return [{ offset: offsetOf(contents), problem: `must be a mapping with the key "config".` }];
  const config = contents.get("config", true) as Node | undefined;
  if (config === undefined || isNull(config)) return [];
  if (!isMap(config))
    return [{ offset: offsetOf(config), problem: `"config" must be a mapping of keys to values.` }];
  return [...keyMistakes(config, project), ...valueMistakes(document, config)].sort(
    (a, b) => a.offset - b.offset,
  );
}

/** Finds keys that the program ignores, and keys that are there twice, with and without the project's name. */
function keyMistakes(config: YAMLMap, { name, keys }: Pick<Project, "name" | "keys">): Mistake[] {
  const seen = new Map<string, string>();
  return config.items.flatMap(({ key }): Mistake[] => {
    const [written, offset] = [String(key), offsetOf(key as Node)];
    const full = written.includes(":") ? written : `${name}:${written}`;
    const first = seen.get(full);
    seen.set(full, written);
    if (first !== undefined) {
      return [{ offset, problem: `${written} and ${first} are the same key. Remove one of them.` }];
    }
    if (!PULUMI_KEY.test(full)) {
      return [
        { offset, problem: `${written} is not a key. Pulumi's keys are NAME or NAMESPACE:NAME.` },
      ];
    }
    if (!full.startsWith(`${name}:`) || keys.includes(full)) return [];
    const problem = `there is no key ${written}. Correct or remove it; docs/configuration.md lists the keys.`;
    return [{ offset, problem }];
  });
}

/** "config" in the middle is an old form. */
const PULUMI_KEY = /^[^:]+:(config:)?[^:]+$/;

/** Finds values that Pulumi can't pass on: it converts them to JSON. */
function valueMistakes(document: Document, config: YAMLMap): Mistake[] {
  const mistakes: Mistake[] = [];
  const visit = (node: unknown, path: string, parents: readonly Node[]): void => {
    const value = isAlias(node) ? node.resolve(document) : (node as Node | null);
    if (value === null) return;
    const problem =
      value === undefined
        ? "is an alias without an anchor before it. Write the value out."
        : parents.includes(value)
          ? "contains itself. Write the value out."
          : problemOf(value);
    if (problem !== undefined) {
      mistakes.push({ offset: offsetOf(node as Node), problem: `${path} ${problem}` });
    } else if (isMap(value)) {
      for (const { key, value: inner } of value.items) {
        visit(inner, path === "" ? String(key) : `${path}.${String(key)}`, [...parents, value]);
      }
    } else if (isSeq(value)) {
      value.items.forEach((item, i) => visit(item, `${path}[${i}]`, [...parents, value]));
    }
  };
  visit(config, "", []);
  return mistakes;
}

/** Returns what is wrong with a value, without the values in it, as the predicate of a sentence. */
function problemOf(value: Node): string | undefined {
  if (value.tag !== undefined && !JSON_TAGS.has(value.tag)) {
    return `has the tag ${value.tag.replace("tag:yaml.org,2002:", "!!")}, which Pulumi doesn't pass on. Remove the tag.`;
  }
  if (!isScalar(value) || !isInfiniteNumber(value)) return undefined;
  const { source = "" } = value;
  return `is ${source}, which YAML takes for a number that Pulumi can't pass on. If it is a text, put it in quotes: "${source}". If not, write a finite number.`;
}

const JSON_TAGS: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

function isInfiniteNumber({ value }: Scalar): boolean {
  return typeof value === "number" && !Number.isFinite(value);
}

function isNull(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

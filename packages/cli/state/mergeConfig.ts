import {
  Document,
  isMap,
  isScalar,
  isSeq,
  Node,
  parseDocument,
  Scalar,
  visit,
  YAMLMap,
  YAMLSeq,
} from "yaml";
import { isReadAs } from "../../../config/writtenText";

/**
 * Puts all values of a stack's file in quotes. The engine rewrites the whole file when it changes one key, and would replace 1.10 by
 * 1.1; it leaves values in quotes alone.
 */
export function withQuotes(text: string): string {
  const document = parse(text);
  visit(document, {
    Scalar: (key, node) => {
      if (key !== "key" && node.type === "PLAIN" && textOf(node) !== "") node.type = "QUOTE_DOUBLE";
    },
  });
  return document.contents === null ? text : print(document, text);
}

/**
 * Applies the engine's changes to the committed file. Unlike the engine, it leaves comments, quotes and all other values as they are.
 *
 * @param original The committed file.
 * @param after The file as the engine has written it, with the project's name in front of each key.
 * @param project Name of the project, which keys of the original file may leave out. Defaults to none.
 * @returns undefined if no value has changed.
 */
export function mergeChanges(original: string, after: string, project = ""): string | undefined {
  const [document, target] = [parse(original), parse(after)];
  if (!isMap(document.contents) || !isMap(target.contents)) return after;
  useSameKeys(document.contents, target.contents, project);
  if (!mergeMap(document.contents, target.contents)) return undefined;
  return print(document, original);
}

/** In this schema every value is the text as it is written. */
function parse(text: string): Document.Parsed {
  return parseDocument(text, { schema: "failsafe" });
}

function print(document: Document, original: string): string {
  return document.toString({
    lineWidth: 0,
    flowCollectionPadding: !/[[{](?! )\S/.test(original),
    indentSeq: !/^( *)\S.*:\n\1- /m.test(original),
  });
}

/** Writes the keys of the target's configuration without the project's name where the original file does. */
function useSameKeys(original: YAMLMap, target: YAMLMap, project: string): void {
  const [before, after] = [original.get("config"), target.get("config")];
  if (!isMap(before) || !isMap(after)) return;
  const keys = new Set(before.items.map(({ key }) => String(key)));
  for (const { key } of after.items) {
    const [, short = ""] = String(key).split(`${project}:`);
    if (isScalar(key) && String(key) === `${project}:${short}` && keys.has(short))
      key.value = short;
  }
}

/** Returns true if something has changed. */
function mergeMap(map: YAMLMap, target: YAMLMap): boolean {
  const keys = new Set(target.items.map(({ key }) => String(key)));
  const removed = map.items.filter(({ key }) => !keys.has(String(key)));
  map.items = map.items.filter((item) => !removed.includes(item));
  const changes = target.items.map((item) => {
    const existing = map.items.find(({ key }) => String(key) === String(item.key));
    if (existing === undefined) {
      map.items.push(item);
      protectLongNumbers(item.value as Node);
      return true;
    }
    const merged = mergeNode(existing.value as Node | null, item.value as Node | null);
    existing.value = merged.node;
    return merged.isChanged;
  });
  return removed.length > 0 || changes.includes(true);
}

interface Merged {
  readonly node: Node | null;
  readonly isChanged: boolean;
}

function mergeNode(node: Node | null, target: Node | null): Merged {
  if (isMap(node) && isMap(target)) return { node, isChanged: mergeMap(node, target) };
  if (isSeq(node) && isSeq(target)) return { node, isChanged: mergeList(node, target) };
  if (isText(node) && isText(target)) return mergeText(node, target);
  protectLongNumbers(target);
  return { node: target, isChanged: true };
}

function mergeList(list: YAMLSeq, target: YAMLSeq): boolean {
  const isLonger = list.items.length !== target.items.length;
  const merged = target.items.map((item, index) =>
    mergeNode((list.items[index] ?? null) as Node | null, item as Node),
  );
  list.items = merged.map(({ node }) => node);
  return isLonger || merged.some(({ isChanged }) => isChanged);
}

function mergeText(node: Scalar | null, target: Scalar | null): Merged {
  const [before, after] = [textOf(node), textOf(target)];
  const isSame = before === after || (target?.type === "PLAIN" && isReadAs(before, after));
  if (isSame || target === null) return { node, isChanged: !isSame };
  // The engine puts every changed value in quotes, also numbers and flags.
  if (node?.type === "PLAIN" && SIMPLE.test(after)) target.type = "PLAIN";
  protectLongNumbers(target);
  target.comment = node?.comment ?? null;
  return { node: target, isChanged: true };
}

/** Numbers and flags that YAML doesn't change. */
const SIMPLE = /^(0|-?[1-9]\d{0,14}|true|false)$/;

/** The engine writes long whole numbers without quotes, and would round them when it reads them again. */
function protectLongNumbers(node: Node | null): void {
  if (node === null) return;
  visit(node, {
    Scalar: (_key, scalar) => {
      if (/^-?\d{16,}$/.test(textOf(scalar))) scalar.type = "QUOTE_DOUBLE";
    },
  });
}

function isText(node: Node | null): node is Scalar | null {
  return node === null || isScalar(node);
}

function textOf(node: Scalar | null): string {
  return typeof node?.value === "string" ? node.value : "";
}

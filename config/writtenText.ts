import type { Document, Node, Scalar } from "yaml";

/** A text in the stack's file that YAML has turned into another one. */
export interface ChangedText {
  /** Path below `config`, for example ["environment", "orders", "VERSION"]. */
  readonly path: readonly string[];
  readonly line: number;
  readonly written: string;
  /** The text that the program gets. */
  readonly actual: string;
}

/** Anything but whole numbers in their usual form that YAML may take for a number, a flag or a date. */
const SUSPICIOUS = /(^|[\s[{,:])([-+]?\.?\d[^\s,\]}]*|[-+]?\.inf|\.nan|true|false)/gi;
const HARMLESS = /^(0|-?[1-9]\d{0,14}|true|false)$/;

/**
 * Finds values without quotes that aren't passed on as they are written: Pulumi reads the file as YAML, where 1.10 is the number 1.1,
 * 0x1F is 31, 12345678901234567 is rounded by JSON, and 2024-01-01 becomes a time.
 *
 * @param text The stack's file.
 * @param project Name of the project, which is the namespace of keys without one.
 * @param valueAt Returns the value that the program gets for a path; undefined if there is none.
 */
export function changedTexts(
  text: string,
  project: string,
  valueAt: (path: readonly string[]) => unknown,
): ChangedText[] {
  const isSuspicious = [...text.matchAll(SUSPICIOUS)].some(
    ([, , word = ""]) => !HARMLESS.test(word),
  );
  return isSuspicious
    ? plainScalars(text, project).flatMap((one) => change(one, valueAt) ?? [])
    : [];
}

/**
 * Returns the values of the stack's file by key, without the project's namespace. An encrypted one is an object with the field `secure`.
 *
 * @param project Name of the project.
 */
export function writtenValues(text: string, project: string): Readonly<Record<string, unknown>> {
  // Unlike `parse`, without an exception for what Pulumi has accepted.
  const file = yaml().parseDocument(text, { merge: true }).toJS() as { readonly config?: object };
  return Object.fromEntries(
    Object.entries(file.config ?? {}).map(([key, value]) => [
      key.replace(`${project}:`, ""),
      value,
    ]),
  );
}

type PlainScalar = Omit<ChangedText, "actual">;

function change(
  { path, line, written }: PlainScalar,
  valueAt: (path: readonly string[]) => unknown,
): ChangedText | undefined {
  const value = valueAt(path);
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return;
  const actual = String(value);
  // The file may not be the one that Pulumi has read: `pulumi --config-file` doesn't tell the program.
  if (actual === written || !isReadAs(written, actual)) return;
  return { path, line, written, actual };
}

/** Checks whether a YAML reader may have turned one text into the other. Pulumi's mixes the versions 1.1 and 1.2. */
export function isReadAs(written: string, actual: string): boolean {
  return (["1.1", "core"] as const).some((schema) => {
    const value: unknown = yaml().parse(
      written,
      schema === "1.1" ? { version: "1.1" } : { schema },
    );
    if (value instanceof Date)
      return new Date(actual.replace(" UTC", "")).getTime() === value.getTime();
    return typeof value === "number" ? value === Number(actual) : String(value) === actual;
  });
}

function plainScalars(text: string, project: string): PlainScalar[] {
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  // In this schema every scalar without quotes is the text as it is written.
  const document = parseDocument(text, { schema: "failsafe", lineCounter: lines });
  const found: PlainScalar[] = [];
  visit(document, document.get("config", true) as Node | undefined, [], (path, scalar) => {
    const [key = "", ...rest] = path;
    found.push({
      path: [key.replace(`${project}:`, ""), ...rest],
      line: lines.linePos(scalar.range?.[0] ?? 0).line,
      written: String(scalar.value),
    });
  });
  return found;
}

/** Visits the plain scalars below a node; a YAML alias stands for its anchor. */
function visit(
  document: Document,
  node: Node | undefined,
  path: readonly string[],
  found: (path: readonly string[], scalar: Scalar) => void,
): void {
  const { isAlias, isMap, isScalar, isSeq } = yaml();
  if (isAlias(node)) {
    visit(document, node.resolve(document), path, found);
    return;
  }
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      visit(document, value as Node, [...path, String(key)], found);
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) =>
      visit(document, item as Node, [...path, String(index)], found),
    );
  } else if (isScalar(node) && node.type === "PLAIN") found(path, node);
}

/** Loaded only if it is needed: it takes 20 ms. */
function yaml(): typeof import("yaml") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require("yaml") as typeof import("yaml");
}

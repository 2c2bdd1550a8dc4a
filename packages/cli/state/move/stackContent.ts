import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

/** Everything that a move of the state must keep, with secrets in plain text: never write it to a file. */
export interface StackContent {
  /** Resources by URN, as exported. The stack's outputs are those of its resource `pulumi:pulumi:Stack`. */
  readonly resources: ReadonlyMap<string, unknown>;
  /** Values of the stack's configuration by key. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Number of entries in the history. */
  readonly history: number;
}

/** Parses the output of `stack export --show-secrets`. Originals that are still to be deleted have the URN of their replacement. */
export function resourcesByUrn(exported: string): Map<string, unknown> {
  const { deployment } = JSON.parse(exported) as {
    deployment?: { resources?: readonly { readonly urn: string; readonly delete?: boolean }[] };
  };
  const resources = new Map<string, unknown>();
  for (const resource of deployment?.resources ?? []) {
    let key = resource.urn;
    while (resources.has(key)) key += " (replaced)";
    resources.set(key, resource);
  }
  return resources;
}

export function hashResources({ resources }: Pick<StackContent, "resources">): string {
  const sorted = [...resources].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
}

/**
 * Lists the differences of a copied stack by name, without values.
 *
 * @param withHistory Also compare the number of history entries.
 */
export function differences(
  original: StackContent,
  copy: StackContent,
  { withHistory }: { readonly withHistory: boolean },
): string[] {
  return [
    ...differentKeys(original.resources, copy.resources).map((urn) => `resource ${urn}`),
    ...differentKeys(
      new Map(Object.entries(original.config)),
      new Map(Object.entries(copy.config)),
    ).map((key) => `configuration ${key}`),
    ...(withHistory && original.history !== copy.history
      ? [`history: ${copy.history} of ${original.history} entries`]
      : []),
  ];
}

function differentKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter(
    (key) => !isDeepStrictEqual(a.get(key), b.get(key)),
  );
}

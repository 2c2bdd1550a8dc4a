/**
 * Writes the table of configuration keys into docs/configuration.md, from the types, defaults and descriptions in Pulumi.yaml.
 *
 *     npm run readme
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Key {
  readonly type: string;
  readonly items?: { readonly type: string };
  readonly default: unknown;
  readonly description: string;
}

/** The page that has the table, relative to the repository. */
export const CONFIGURATION_PAGE = "docs/configuration.md";
const BEGIN = "<!-- configuration, from Pulumi.yaml -->";
const END = "<!-- end of configuration -->";
const REPOSITORY = join(__dirname, "..");

/**
 * Returns the page with an up-to-date table between its markers.
 *
 * @param project Content of Pulumi.yaml.
 * @throws Error if the page has no markers.
 */
export function withTable(page: string, project: string): string {
  const { config } = parse(project) as { config: Record<string, Key> };
  const rows = Object.entries(config).map(
    ([name, key]) =>
      `| \`${name}\` | ${typeOf(key)} | \`${JSON.stringify(key.default)}\` | ${key.description} |`,
  );
  const table = [
    "| key | type | default | description |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The page has no "${BEGIN}" … "${END}".`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`;
}

/** Reads a text file of the repository. */
export function readText(file: string): string {
  return readFileSync(join(REPOSITORY, file), "utf8");
}

function typeOf(key: Key): string {
  return key.items === undefined ? key.type : `list of ${key.items.type}s`;
}

if (require.main === module) {
  writeFileSync(
    join(REPOSITORY, CONFIGURATION_PAGE),
    withTable(readText(CONFIGURATION_PAGE), readText("Pulumi.yaml")),
  );
}

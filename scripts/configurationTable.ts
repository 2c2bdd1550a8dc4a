/**
 * Writes the table of configuration keys into README.md from Pulumi.yaml, where each key's type, default and meaning stand.
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

const BEGIN = "<!-- configuration, from Pulumi.yaml -->";
const END = "<!-- end of configuration -->";
const REPOSITORY = join(__dirname, "..");

/** README.md with the table as it should be. */
export function withTable(readme: string, project: string): string {
  const { config } = parse(project) as { config: Record<string, Key> };
  const rows = Object.entries(config).map(
    ([name, key]) =>
      `| \`${name}\` | ${typeOf(key)} | \`${JSON.stringify(key.default)}\` | ${key.description} |`,
  );
  const table = [
    "| key | type | default | what it says |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no "${BEGIN}" … "${END}".`);
  return `${readme.slice(0, begin)}${BEGIN}\n\n${table}\n\n${readme.slice(end)}`;
}

export function readText(file: string): string {
  return readFileSync(join(REPOSITORY, file), "utf8");
}

function typeOf(key: Key): string {
  return key.items === undefined ? key.type : `list of ${key.items.type}s`;
}

if (require.main === module) {
  writeFileSync(
    join(REPOSITORY, "README.md"),
    withTable(readText("README.md"), readText("Pulumi.yaml")),
  );
}

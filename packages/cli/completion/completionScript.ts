import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompletionRow } from "./completionTable";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** Returns the script that a user sources: the table of words, and the function for the shell that looks them up. */
export function completionScript(shell: Shell, rows: readonly CompletionRow[]): string {
  const lines = rows.map(({ command, kind, word, description }) =>
    // An empty first field would be lost: the shells' `read` strips leading tabs.
    [command || "-", kind, word, description.replace(/\s+/g, " ")].join("\t"),
  );
  const code = readFileSync(join(__dirname, FILES[shell]), "utf8");
  if (shell === "fish") return `function __store_table\n${fishLines(lines)}end\n\n${code}`;
  const table = `_store_table() {\n  cat <<'END_OF_TABLE'\n${lines.join("\n")}\nEND_OF_TABLE\n}\n`;
  return `${shell === "zsh" ? ZSH : ""}${table}\n${code}`;
}

const FILES: Readonly<Record<Shell, string>> = {
  bash: "completion.bash.sh",
  zsh: "completion.bash.sh",
  fish: "completion.fish",
};

/** Makes zsh understand completions for bash. */
const ZSH = `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit

`;

function fishLines(lines: readonly string[]): string {
  return lines
    .map((line) => `    echo '${line.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'\n`)
    .join("");
}

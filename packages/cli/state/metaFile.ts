import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { shellQuote } from "../../../components/shell/shell";
import { type State, stateFolder } from "./state";

/**
 * Returns the error if the file with the version of a folder's layout, which the engine reads first, is damaged. The engine creates a
 * missing one. Undefined for a backend that isn't a folder.
 */
export function damagedMetaFile(state: State): CliError | undefined {
  const folder = stateFolder(state);
  if (folder === undefined) return undefined;
  const file = join(folder, ".pulumi", "meta.yaml");
  const problem = existsSync(file) ? problemOf(file) : undefined;
  if (problem === undefined) return undefined;
  return new CliError(`${file} ${problem}.`, {
    hint: `Restore the file, whose only line is the version of the folder's layout: echo 'version: 1' > ${shellQuote(file)}`,
  });
}

function problemOf(file: string): string | undefined {
  try {
    const content: unknown = parse(readFileSync(file, "utf8"));
    const version = (content as { readonly version?: unknown } | null)?.version;
    return typeof version === "number" && version >= 1 ? undefined : "has no version";
  } catch (error) {
    return `can't be read: ${messageOf(error).split("\n")[0]}`;
  }
}

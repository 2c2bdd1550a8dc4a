import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STACK } from "../context";
import type { Workspace } from "../../support/workspace";

const REPOSITORY = join(__dirname, "../../..");

/** Pages whose commands are run by tests. */
export const PAGES = ["README.md", "docs/tutorial.md"] as const;

/** Returns the commands in a page's shell blocks, without comments. */
export function commandsOf(page: (typeof PAGES)[number]): string[] {
  const text = readFileSync(join(REPOSITORY, page), "utf8");
  return [...text.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = ""]) =>
    block
      .split("\n")
      .map((line) => line.replace(/\s+#\s.*$/, "").trim())
      .filter((line) => line !== ""),
  );
}

/** Returns true for commands on the staging stack. */
export const isForStaging = (command: string): boolean => /\bstaging\b/.test(command);

/** Returns true for commands that change the configuration, which needs no host. */
export const isConfiguration = (command: string): boolean =>
  command.startsWith("./store pulumi config ");

/** Commands that the rehearsal's other steps run: they bring the stack up and take it down. */
const LIFECYCLE: readonly string[] = [
  "./store up staging",
  "./store down staging",
  "./store down staging --volumes",
];

/** Runs the documented commands that look into a running staging stack, and throws for the first that fails. */
export async function runDocumentedCommands(workspace: Workspace): Promise<string> {
  const commands = PAGES.flatMap(commandsOf).filter(
    (command) => isForStaging(command) && !isConfiguration(command) && !LIFECYCLE.includes(command),
  );
  for (const command of commands) await workspace.shell(command.replaceAll("staging", STACK));
  return commands.join(", ");
}

import { CliError } from "@store/docker/cliError";
import { addJobSummary } from "./jobSummary";
import { runStore } from "./runStore";

/** Runs `./store down` and shows its output in the job's summary. @throws CliError if it fails */
export async function takeDown(stack: string, flags: readonly string[]): Promise<void> {
  const lines: string[] = [];
  const { code } = await runStore(["down", stack, "--yes", ...flags], {
    onLine: (line) => {
      lines.push(line);
      process.stderr.write(`${line}\n`);
    },
  });
  addJobSummary(
    [`### Teardown of \`${stack}\``, "", "````text", ...lines.slice(-40), "````"].join("\n"),
  );
  if (code === 0) return;
  throw new CliError(`Stack ${stack} is not down (exit code ${code ?? "none"}).`, {
    hint: "The message above says why. What is left may cost money: fix the cause, then run the job again.",
  });
}

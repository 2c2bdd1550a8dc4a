import { Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { run as runCommand } from "@store/toolchain/system/run";
import { runSteps } from "../../ci/setup/runSteps";
import { renderScript } from "../../ci/setup/step";
import { secretsUrl, stateUrl, type TeamNames, teamNames } from "../../ci/setup/teamNames";
import { teamSteps } from "../../ci/setup/teamSteps";
import { ROOT } from "../../project/project";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";

interface SetupOptions {
  /** OWNER/NAME. @default that of git's remote origin */
  readonly repo?: string;
  readonly location: string;
  readonly apply: boolean;
  /** Lets pull requests have environments. */
  readonly environments: boolean;
}

export const setup = defineCommand<Partial<SetupOptions>, SetupOptions>({
  name: "setup",
  summary: "print, or make, what the workflows need in Azure and on GitHub",
  flags: [
    new Option("--apply", "make it, with `az` and `gh`"),
    new Option("--repo <owner/name>", "the repository on GitHub (default: git's remote origin)"),
    new Option(
      "--environments",
      "let pull requests have environments: their code runs as the identity that deploys",
    ),
    new Option("--location <region>", "Azure region of the state (default: australiaeast)"),
  ],
  examples: ["./store ci setup            prints a shell script", "./store ci setup --apply"],
  notes:
    "Makes a storage account and a key vault for the state, and two identities without passwords: `preview`, which reads, and\n" +
    "`deploy`; on GitHub, the environments and variables that the workflows name. It may be run again: it changes nothing that exists.",
  parse: ({ flags: { apply, repo, location, environments } }) => ({
    apply: apply === true,
    environments: environments === true,
    repo,
    location: location ?? "australiaeast",
  }),
  run,
});

async function run({ apply, repo, location, environments }: SetupOptions): Promise<ExitCode> {
  const names = teamNames(repo ?? (await originRepository()), location);
  const steps = teamSteps(names, environments);
  if (!apply) {
    process.stdout.write(renderScript(steps));
    process.stderr.write(`${nextSteps(names)}\n`);
    return ExitCode.Ok;
  }
  await runSteps(steps, reporter());
  process.stdout.write(`${nextSteps(names)}\n`);
  return ExitCode.Ok;
}

async function originRepository(): Promise<string> {
  const { stdout } = await runCommand("git", ["remote", "get-url", "origin"], { cwd: ROOT });
  // The identities trust the tokens of github.com only.
  const repository = /github\.com[:/]([\w.-]+\/[\w.-]+?)(?:\.git)?\s*$/.exec(stdout)?.[1];
  if (repository !== undefined) return repository;
  throw new UsageError(
    "This checkout has no remote origin on github.com.",
    "Name the repository: ./store ci setup --repo OWNER/NAME",
  );
}

function nextSteps(names: TeamNames): string {
  return [
    "Next, move the state there (docs/team-workflow.md):",
    `  ./store state use '${stateUrl(names)}' staging --secrets-provider '${secretsUrl(names)}'`,
  ].join("\n");
}

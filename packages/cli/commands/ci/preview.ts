import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Option } from "commander";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { withBasePreview } from "../../ci/basePreview";
import { runStore } from "../../ci/runStore";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAG, StackFlags } from "../stackFlags";

interface PreviewFlags extends StackFlags {
  readonly output?: string;
  readonly base?: string;
  readonly checkoutOnly?: boolean;
}

interface PreviewOptions {
  readonly stack: string;
  /** Absolute path. */
  readonly output: string;
  /** Git revision. @default none */
  readonly base?: string;
  readonly checkoutOnly: boolean;
}

export const preview = defineCommand<PreviewFlags, PreviewOptions>({
  name: "preview",
  summary: "preview a stack, compared with the base revision, into a file for `ci publish`",
  arguments: [STACK_ARGUMENT],
  flags: [
    STACK_FLAG,
    new Option("-o, --output <file>", "file to write"),
    new Option("--base <revision>", "git revision to compare with, such as HEAD^1"),
    new Option("--checkout-only", "compare the checkouts alone; needs no state and no secrets"),
  ],
  examples: ["./store ci preview staging --base HEAD^1 --output summary.json"],
  notes:
    "Exit code 0 also if the preview was refused: `ci publish` shows the reason and fails then.",
  parse: ({ args: [argument], flags }) => {
    if (flags.output === undefined)
      throw new UsageError("No file to write to.", "Pass --output FILE.");
    return {
      stack: parseStack(flags, argument).stack,
      output: resolve(flags.output),
      base: flags.base,
      checkoutOnly: flags.checkoutOnly === true,
    };
  },
  run,
});

async function run({ stack, output, base, checkoutOnly }: PreviewOptions): Promise<ExitCode> {
  const args = [stack, "--json", ...(checkoutOnly ? ["--checkout-only"] : [])];
  const head = async (baseFile?: string): Promise<ExitCode> => {
    const compared = baseFile === undefined ? [] : ["--base", baseFile];
    const { code, stdout } = await runStore(["preview", ...args, ...compared]);
    writeFileSync(output, stdout);
    if (stdout.trim() !== "") return ExitCode.Ok;
    throw new CliError(
      `The preview of the stack ${stack} ended without a result (exit code ${code ?? "none"}).`,
      {
        hint: "The message above says why.",
        exitCode: code === ExitCode.Usage ? ExitCode.Usage : ExitCode.Failed,
      },
    );
  };
  return base === undefined ? head() : withBasePreview(base, args, reporter(), head);
}

import { Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { reportCost } from "../../cost/stackCost";
import { reportReplacedVm } from "../../host/replacedVm";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { POLICY_OPTIONS } from "../../engine/policyPack";
import type { EngineRun } from "../../engine/runEngine";
import { certificateNote } from "../../docker/gateway/certificateNote";
import { reportUnchangedContact } from "../../docker/gateway/contactNote";
import { ensureStack } from "../../engine/ensureStack";
import { runOnStack } from "../../engine/runOnStack";
import { type EngineContext, setUpEngine } from "../../engine/setup";
import { ensureSshFiles } from "../../host/remoteHost";
import { followDaemon } from "../../lifecycle/followDaemon";
import { readProject } from "../../project/project";
import { findOwnStack, openSession, type Session, type StackOptions } from "../../project/session";
import type { Summary } from "../../review/summary";
import { renderError, reporter } from "../../terminal/terminal";
import { isHeld, lockedError, takeLock } from "../../state/locks";
import { findEngineLocks, stackLockFile } from "../../state/state";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface PreviewFlags extends StackFlags {
  readonly refresh?: boolean;
  readonly diff?: boolean;
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly base?: string;
  readonly checkoutOnly?: boolean;
}

interface PreviewOptions extends StackOptions {
  readonly refresh: boolean;
  readonly diff: boolean;
  /** Prints a review instead of the engine's output. @default the engine's output */
  readonly review?: ReviewOptions;
  /** Further options of `pulumi preview`. */
  readonly pulumi: readonly string[];
}

interface ReviewOptions {
  readonly format: "markdown" | "json";
  /** File with the summary of the base. @default none: all changes count */
  readonly base?: string;
  /** Compare the checkouts only, without the stack's state. */
  readonly checkoutOnly: boolean;
}

export const preview = defineCommand<PreviewFlags, PreviewOptions>({
  name: "preview",
  summary: "show what `up` would change, without changing anything",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("--refresh", "update the state from the real resources first"),
    new Option("--diff", "show every property that changes"),
    new Option("--markdown", "print a review for a pull request, without secrets"),
    new Option("--json", "print the review with its verdict as JSON").conflicts("markdown"),
    new Option("--base <file>", "the base's output of --json; its changes are listed apart"),
    new Option("--checkout-only", "compare checkouts alone, without the stack's state"),
  ],
  examples: [
    "./store preview",
    "./store preview --diff",
    "./store preview --refresh -- --expect-no-changes",
    "./store preview staging --json > base.json          in a checkout of the base",
    "./store preview staging --markdown --base base.json",
  ],
  notes:
    "With --markdown or --json, the exit code is 3 if a second person should look: data at risk, a new way in from the network, " +
    "or a virtual machine replaced. docs/review.md explains the review.",
  parse: ({ args: [stack], flags, rest }) => ({
    ...parseStack(flags, stack),
    refresh: flags.refresh === true,
    diff: flags.diff === true,
    review: parseReview(flags, rest),
    pulumi: rest,
  }),
  run,
});

/** @throws UsageError for a flag of the review without a review, or together with flags that a review ignores. */
function parseReview(
  { markdown, json, base, checkoutOnly = false, refresh, diff }: PreviewFlags,
  rest: readonly string[],
): ReviewOptions | undefined {
  const format = json ? "json" : markdown ? "markdown" : undefined;
  if (format === undefined) {
    const flag = base !== undefined ? "--base" : checkoutOnly ? "--checkout-only" : undefined;
    if (flag === undefined) return undefined;
    throw new UsageError(`${flag} is for a review.`, `Add --markdown or --json.`);
  }
  if (checkoutOnly && (refresh || diff || rest.length > 0)) {
    throw new UsageError("--checkout-only runs no engine, which the other options are for.");
  }
  return { format, base, checkoutOnly };
}

async function run(options: PreviewOptions): Promise<number> {
  if (options.review) return runReview(options, options.review);
  const session = openSession(options);
  const { context, engineRun } = await runPreview(session, options);
  if (engineRun.exitCode !== 0) {
    throw await diagnoseRun("preview", session, context.docker, engineRun);
  }
  reportReplacedVm(engineRun.events, reporter());
  reportUnchangedContact(engineRun.events, session.stack.name, reporter());
  reportCost(engineRun.events, reporter());
  const certificate = await certificateNote(session.project, session.stack);
  if (certificate !== undefined) reporter().note(certificate);
  return ExitCode.Ok;
}

async function runPreview(
  session: Session,
  { refresh, diff, review, pulumi }: PreviewOptions,
): Promise<{ readonly context: EngineContext; readonly engineRun: EngineRun }> {
  // A preview only needs the names of the base images.
  const report = reporter();
  const context = await setUpEngine(session, report, { baseImages: false });
  await ensureStack(session, context);
  await followDaemon(session, context, report, { isPreview: true });
  if (refresh) await ensureSshFiles(session);
  const runEngine = (): Promise<EngineRun> =>
    runOnStack(
      session,
      // Compares resources in parallel. An `up` compares them one after the other.
      { ...context, env: { PULUMI_PARALLEL_DIFF: "true", ...context.env } },
      [
        "preview",
        ...POLICY_OPTIONS,
        ...(refresh ? ["--refresh"] : []),
        ...(diff ? ["--diff"] : []),
        ...pulumi,
      ],
      { events: true, quiet: review !== undefined },
    );
  const engineRun = await (review ? whileUnlocked(session, runEngine) : runEngine());
  return { context, engineRun };
}

/**
 * Runs an action while no deployment changes the stack, whose preview would be of a state halfway.
 *
 * @throws CliError that names the run which has the stack's lock.
 */
async function whileUnlocked<T>(session: Session, action: () => Promise<T>): Promise<T> {
  const { state, stack } = session;
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `preview ${stack.name}`);
  try {
    const lock = findEngineLocks(state, stack.name).find(isHeld);
    if (lock) throw lockedError(stack.name, lock);
    return await action();
  } finally {
    release();
  }
}

/** Prints the review on stdout. @returns its exit code: see {@link Summary.exitCode}. */
async function runReview(
  options: PreviewOptions,
  { format, base: baseFile, checkoutOnly }: ReviewOptions,
): Promise<number> {
  const { readBase, reviewCheckout, reviewPreview } = loadReview();
  if (checkoutOnly) {
    const project = readProject();
    const stack = findOwnStack(project, options);
    const base = baseFile === undefined ? undefined : readBase(baseFile, stack.name);
    return print(await reviewCheckout({ project, stack }, base), format);
  }
  const session = openSession(options);
  const base = baseFile === undefined ? undefined : readBase(baseFile, session.stack.name);
  const { context, engineRun: engine } = await runPreview(session, options);
  const { summary, error } = await reviewPreview({ session, context, run: engine }, base);
  if (error) process.stderr.write(`${renderError(error)}\n`);
  return print(summary, format);
}

function print(summary: Summary, format: ReviewOptions["format"]): number {
  process.stdout.write(format === "json" ? `${JSON.stringify(summary, null, 2)}\n` : summary.full);
  return summary.exitCode;
}

/** Loads the review on first use: it loads the program's components, which would slow down other commands. */
function loadReview(): typeof import("../../review/runReview") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require("../../review/runReview") as typeof import("../../review/runReview");
}

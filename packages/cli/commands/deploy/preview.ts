import { Option } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { reportCost } from "../../cost/stackCost";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { POLICY_OPTIONS } from "../../engine/policyPack";
import { ensureStack, runOnStack, setUpEngine } from "../../engine/setup";
import { ensureSshFiles } from "../../host/remoteHost";
import { followDaemon } from "../../lifecycle/followDaemon";
import { openSession, StackOptions } from "../../project/session";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface PreviewFlags extends StackFlags {
  readonly refresh?: boolean;
  readonly diff?: boolean;
}

interface PreviewOptions extends StackOptions {
  readonly refresh: boolean;
  readonly diff: boolean;
  /** Further options of `pulumi preview`. */
  readonly pulumi: readonly string[];
}

export const preview = defineCommand<PreviewFlags, PreviewOptions>({
  name: "preview",
  summary: "show what `up` would change, without changing anything",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("--refresh", "update the state from the real resources first"),
    new Option("--diff", "show every property that changes"),
  ],
  examples: [
    "./store preview",
    "./store preview --diff",
    "./store preview --refresh -- --expect-no-changes",
  ],
  parse: ({ args: [stack], flags, rest }) => ({
    ...parseStack(flags, stack),
    refresh: flags.refresh === true,
    diff: flags.diff === true,
    pulumi: rest,
  }),
  run,
});

async function run({ refresh, diff, pulumi, ...options }: PreviewOptions): Promise<ExitCode> {
  const session = openSession(options);
  // A preview only needs the names of the base images.
  const report = reporter();
  const context = await setUpEngine(session, report, { baseImages: false });
  await ensureStack(session, context);
  await followDaemon(session, context, report, { isPreview: true });
  if (refresh) await ensureSshFiles(session);
  const engineRun = await runOnStack(
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
    { events: true },
  );
  if (engineRun.exitCode !== 0) {
    throw await diagnoseRun("preview", session, context.docker, engineRun);
  }
  reportCost(engineRun.events, report);
  return ExitCode.Ok;
}

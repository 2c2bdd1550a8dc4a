import { existsSync } from "node:fs";
import { Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { reportCost } from "../../cost/stackCost";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { checkPort } from "../../diagnostics/port";
import type { RemainingDrift } from "../../docker/drift";
import { publishesHere, sshTunnel } from "../../docker/url";
import {
  EngineContext,
  ensureStack,
  removeStaleEngineLocks,
  runOnStack,
  setUpEngine,
} from "../../engine/setup";
import { POLICY_OPTIONS } from "../../engine/policyPack";
import type { EngineRun } from "../../engine/runEngine";
import { taintFailedVm } from "../../host/failedProvisioning";
import { ensureSshFiles } from "../../host/remoteHost";
import { followDaemon } from "../../lifecycle/followDaemon";
import { CrashWatch } from "../../lifecycle/crashWatch";
import { reconcileDrift, removeOrphans } from "../../lifecycle/reconcileDrift";
import { verifyPublicAddress } from "../../lifecycle/verifyPublicAddress";
import { stackOption, storeCommand } from "../../project/project";
import { isLocal, openSession, Session, StackOptions } from "../../project/session";
import { InterruptedRun } from "../../state/interruptedRun";
import { takeLock } from "../../state/locks";
import { checkpointFile, stackLockFile } from "../../state/state";
import { inputHash, UpToDate } from "../../state/upToDate";
import { colors, isInteractive, Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface UpFlags extends StackFlags {
  readonly yes?: boolean;
  readonly refresh?: boolean;
}

interface UpOptions extends StackOptions {
  /** Don't ask for confirmation. */
  readonly yes: boolean;
  readonly refresh: boolean;
  /** Further options of `pulumi up`. */
  readonly pulumi: readonly string[];
}

export const up = defineCommand<UpFlags, UpOptions>({
  name: "up",
  summary: "build what has changed and bring the stack up",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("-y, --yes", "don't ask for confirmation before changing a stack on another host"),
    new Option("--refresh", "update the state from the real resources first"),
  ],
  examples: [
    "./store up",
    "./store up staging --yes",
    "./store up -- --diff        passes options to `pulumi up`",
  ],
  notes: `The stack's configuration is in Pulumi.STACK.yaml. The next \`up\` applies changes:
  ./store pulumi config set httpPort 9000                   another port
  ./store pulumi config set --path 'services[0]' orders     only orders and its dependencies
  ./store pulumi config set --path 'live[0]' orders         orders from source, restarted on changes
  ./store pulumi config set --path replicas.orders 2        two instances of orders
  ./store pulumi config rm services                         back to the default`,
  parse: ({ args: [stack], flags, rest }) => ({
    ...parseStack(flags, stack),
    yes: flags.yes === true,
    refresh: flags.refresh === true,
    pulumi: rest,
  }),
  run,
});

async function run(options: UpOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { stack, state } = session;
  const report = reporter();
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `up ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    const engine = await setUpEngine(session, report, { baseImages: true });
    await ensureStack(session, engine);
    await followDaemon(session, engine, report);
    const drift = await reconcileDrift(session, engine, report);
    if (engine.docker) await checkPort(session, engine.docker);
    if (isUpToDate(options, session, engine, drift)) {
      report.note(
        drift.isRepaired
          ? "nothing else has changed since the last up; --refresh checks it again"
          : "everything is unchanged since the last up; --refresh checks it again",
      );
    } else {
      await deploy(options, session, engine, drift, report);
    }
    if (engine.docker) {
      const url = await verifyPublicAddress(session, engine.docker, report);
      process.stdout.write(renderResult(stack.name, url, engine.docker.host));
    }
    return ExitCode.Ok;
  } finally {
    release();
  }
}

/** Returns true if the engine would find nothing to do. Options for the engine always run it. */
function isUpToDate(
  options: UpOptions,
  session: Session,
  engine: EngineContext,
  drift: RemainingDrift,
): boolean {
  if (drift.differences.length + drift.orphans.length + drift.replace.length > 0) return false;
  if (options.refresh || options.pulumi.length > 0) return false;
  if (new InterruptedRun(session.state, session.stack.name).exists) return false;
  const hash = hashInputs(session, engine);
  return hash !== undefined && new UpToDate(session).matches(hash);
}

/** Returns undefined if the state isn't a local file: reading it from a remote backend would take longer than it saves. */
function hashInputs(session: Session, { engine, docker }: EngineContext): string | undefined {
  const record = checkpointFile(session.state, session.stack.name);
  if (record === undefined || docker === undefined || !existsSync(record)) return undefined;
  return inputHash(session, { checkpoint: record, engine: engine.pulumi, dockerHost: docker.host });
}

/** Runs Pulumi. Only previews the changes if they need a confirmation and there is no terminal to ask on. */
async function deploy(
  options: UpOptions,
  session: Session,
  engine: EngineContext,
  drift: RemainingDrift,
  report: Reporter,
): Promise<void> {
  const { stack, state } = session;
  const isConfirmed = isLocal(session) || options.yes;
  const operation = isConfirmed || isInteractive() ? "up" : "preview";
  const refresh = options.refresh || drift.differences.length > 0;
  const interruptedRun = new InterruptedRun(state, stack.name);
  interruptedRun.record();

  if (refresh) await ensureSshFiles(session);
  const args = [
    operation,
    ...POLICY_OPTIONS,
    ...(isConfirmed ? ["--yes", "--skip-preview"] : []),
    ...(refresh ? ["--refresh"] : []),
    ...drift.replace.flatMap((urn) => ["--replace", urn]),
    ...options.pulumi,
  ];
  const runUp = (): Promise<EngineRun> => runOnStack(session, engine, args, { events: true });
  const { result: engineRun, crashed } = engine.docker
    ? await CrashWatch.during(session, engine.docker, report, runUp)
    : { result: await runUp(), crashed: undefined };
  if (engineRun.exitCode !== 0) {
    interruptedRun.record(engineRun.events);
    await taintFailedVm(session, engine, engineRun.events, report);
    throw await diagnoseRun("up", session, engine.docker, engineRun, crashed);
  }
  interruptedRun.clear();
  reportCost(engineRun.events, report);
  if (operation === "preview") throw confirmationRequired(stack.name);
  if (engine.docker) await removeOrphans(engine.docker, drift.orphans, report);
  const hash = hashInputs(session, engine);
  if (hash !== undefined) new UpToDate(session).save(hash);
}

function confirmationRequired(stack: string): UsageError {
  return new UsageError(
    `Previewed only: refusing to change stack ${stack} without confirmation (no terminal).`,
    `Pass --yes: ./store up ${stack} --yes`,
  );
}

function renderResult(stack: string, url: string, dockerHost: string): string {
  const commands: readonly [string, string][] = [
    [storeCommand("ps", stack), "list the containers"],
    [`./store logs -f${stackOption(stack)}`, "follow the logs"],
    [storeCommand("down", stack), "remove the stack; keeps the data"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  const tunnel = sshTunnel(dockerHost, url);
  return [
    publishesHere(dockerHost)
      ? `The store is up: ${colors.bold(url)}\n`
      : `The containers run. The store's address is ${colors.bold(url)} on the machine ${dockerHost}.${tunnel === undefined ? "" : ` Reach it from here: ${tunnel}`}\n`,
    ...commands.map(([command, purpose]) => colors.dim(`  ${command.padEnd(width)}  ${purpose}\n`)),
  ].join("");
}

import { Checkpoint, CONTAINER_TYPE, Resource } from "../../state/checkpoint";
import { displayName, runnable } from "../../docker/containers";
import { Docker } from "../../docker/docker";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { planDrift, DockerState, readDockerState, removeOrphan } from "../../docker/drift";
import { removeUnusedImages } from "../../docker/images";
import { takeLock } from "../../state/locks";
import { storeCommand } from "../../project/project";
import { ensureSshFiles } from "../../host/remoteHost";
import { openSession, Session, StackOptions } from "../../project/session";
import {
  removeStaleEngineLocks,
  connectEngine,
  EngineContext,
  fetchCheckpoint,
  runOnStack,
} from "../../engine/setup";
import { stackLockFile } from "../../state/state";
import { InterruptedRun } from "../../state/interruptedRun";
import { confirm, isInteractive, Reporter, reporter } from "../../terminal/terminal";

export interface DownOptions extends StackOptions {
  readonly yes?: boolean;
  readonly volumes?: boolean;
  /** Further options of `pulumi destroy`. */
  readonly pulumi: readonly string[];
}

export async function down(options: DownOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { stack, state } = session;
  if (!options.yes && !isInteractive()) {
    throw new UsageError(
      `Without a terminal nobody can be asked whether the stack ${stack.name} may go.`,
      `Say so: ./store down ${stack.name} --yes`,
    );
  }

  const report = reporter();
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `down ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    const ready = await connectEngine(session, report);
    const record = await fetchCheckpoint(session, ready);
    const there =
      ready.docker && (await readDockerState(ready.docker, session.project.name, stack.name));
    const plan = planDown(record, there, options.volumes === true);
    if (plan.goes.length === 0) {
      report.note(nothingToDo(stack.name, plan));
      return ExitCode.Ok;
    }
    if (!options.yes && !(await agreed(stack.name, plan))) return ExitCode.Ok;

    if (record && hasSomething(record)) await destroy(session, ready, record, there, options);
    if (ready.docker) await cleanUp(session, ready.docker, record, there, report);
    report.note(summary(stack.name, plan));
    return ExitCode.Ok;
  } finally {
    release();
  }
}

/** What goes and what stays, in a person's words. */
export interface DownPlan {
  readonly goes: readonly string[];
  readonly stays: readonly string[];
}

export function planDown(
  record: Checkpoint | undefined,
  there: DockerState | undefined,
  volumes: boolean,
): DownPlan {
  const all = record?.resources ?? [];
  const resources = all.filter(({ type }) => type.startsWith("docker:"));
  const kept = all.filter(
    ({ id, type, protect }) => protect === true && id && HOLDS_DATA.has(type),
  );
  const others = resources.filter(({ protect }) => protect !== true);
  const data = kept.map(nameInCloud);
  // Another checkout's containers have the same labels; ours are in the record.
  const ids = new Set(resources.flatMap(({ id }) => id ?? []));
  const ours = runnable(there?.containers ?? []).filter(({ id }) => ids.has(id));
  const services = [...new Set(ours.map(displayName))];
  const containers = others.filter(({ type }) => type === CONTAINER_TYPE).length;
  const rest = others.length - containers;
  return {
    goes: [
      ...inAzure(all),
      ...(services.length > 0 ? [`the containers of ${services.join(", ")}`] : []),
      ...(services.length === 0 && containers > 0 ? [`${containers} containers`] : []),
      ...(record && record.pending.length > 0 ? ["what an interrupted run has left"] : []),
      ...(rest > 0 ? ["their networks, files and images"] : []),
      ...(volumes && data.length > 0
        ? [`THE DATA: ${holders(kept)} and the databases' passwords`]
        : []),
    ],
    stays: volumes ? [] : data,
  };
}

/** What holds data: a volume of Docker's, or the disk of a VM. */
const HOLDS_DATA: ReadonlySet<string> = new Set([
  "docker:index/volume:Volume",
  "azure-native:compute:Disk",
]);

function holders(kept: readonly Resource[]): string {
  const names = (type: string): string =>
    kept.flatMap((it) => (it.type === type ? nameInCloud(it) : [])).join(", ");
  const [volumes, disks] = [
    names("docker:index/volume:Volume"),
    names("azure-native:compute:Disk"),
  ];
  return [volumes && `the volumes ${volumes}`, disks && `the disk ${disks}`]
    .filter((part) => part !== "")
    .join(", ");
}

/** Azure's IDs are paths. */
function nameInCloud({ id }: Resource): string {
  return id?.split("/").at(-1) ?? "";
}

/** What goes in Azure, by the names that its portal shows. */
function inAzure(resources: readonly Resource[]): string[] {
  const ours = resources.filter(({ type, id }) => type.startsWith("azure-native:") && id);
  const vms = ours.filter(({ type }) => type === "azure-native:compute:VirtualMachine");
  if (ours.length === 0) return [];
  return [
    ...vms.map((vm) => `the VM ${nameInCloud(vm)}, with its disk and all that runs on it`),
    `its network, its public address and what else is in Azure: ${ours.length} resources, which cost nothing any more then`,
  ];
}

async function agreed(stack: string, plan: DownPlan): Promise<boolean> {
  process.stderr.write(`From the stack ${stack} this removes\n`);
  for (const line of plan.goes) process.stderr.write(`  - ${line}\n`);
  if (plan.stays.length > 0) {
    process.stderr.write(`The data stays (${plan.stays.join(", ")}); --volumes removes it too.\n`);
  }
  return confirm("Go on?");
}

async function destroy(
  session: Session,
  ready: EngineContext,
  record: Checkpoint,
  there: DockerState | undefined,
  options: DownOptions,
): Promise<void> {
  await ensureSshFiles(session);
  const healing = there ? planDrift(record, there) : undefined;
  if (healing?.clearPendingCreates) {
    const args = ["refresh", "--clear-pending-creates", "--yes", "--skip-preview"];
    await runOrExplain(session, ready, args);
  }
  const refresh = healing && healing.differences.length > 0 && !healing.clearPendingCreates;
  await runOrExplain(session, ready, [
    "destroy",
    "--yes",
    "--skip-preview",
    options.volumes ? "--ignore-protect" : "--exclude-protected",
    ...(refresh ? ["--refresh"] : []),
    ...options.pulumi,
  ]);
}

async function runOrExplain(session: Session, ready: EngineContext, args: string[]): Promise<void> {
  const run = await runOnStack(session, ready, args, { events: true });
  if (run.exitCode !== 0) throw await diagnoseRun("down", session, ready.docker, run);
}

/** What the engine doesn't know of, and images that nobody needs any more. */
async function cleanUp(
  session: Session,
  docker: Docker,
  record: Checkpoint | undefined,
  before: DockerState | undefined,
  report: Reporter,
): Promise<void> {
  const { project, stack } = session;
  if (record && before) {
    const unfinished = new InterruptedRun(session.state, stack.name);
    const { orphans } = planDrift(record, before, unfinished.resourceNames());
    for (const orphan of orphans) await removeOrphan(docker, orphan);
    unfinished.clear();
  }
  const removed = await removeUnusedImages(session, docker, record);
  if (removed.length > 0) {
    report.note(
      `removed ${removed.length} images that nobody uses any more: ${removed.join(", ")}`,
    );
  }

  reportLeft(session, record, await readDockerState(docker, project.name, stack.name), report);
}

/** The labels are the same in another checkout, so that not all that is left need be ours. */
function reportLeft(
  session: Session,
  record: Checkpoint | undefined,
  after: DockerState,
  report: Reporter,
): void {
  const left = [
    ...after.containers.map(({ id, name }) => ({ id, name: `container ${name}` })),
    ...after.networks.map(({ id, name }) => ({ id, name: `network ${name}` })),
  ];
  const recorded = new Set(record?.resources.flatMap(({ id }) => id ?? []));
  const names = (things: typeof left): string => things.map(({ name }) => name).join(", ");
  const ours = left.filter(({ id }) => recorded.has(id));
  if (ours.length > 0) {
    throw new CliError(`Not everything of the stack ${session.stack.name} went: ${names(ours)}.`, {
      hint: `Run it again: ${storeCommand("down", session.stack.name)}`,
    });
  }
  if (left.length > 0) {
    report.note(
      `Of another checkout's stack ${session.stack.name}, or of one whose record was deleted, there is still: ${names(left)}.`,
    );
  }
}

function hasSomething(record: Checkpoint): boolean {
  return record.resources.length > 0 || record.pending.length > 0;
}

function nothingToDo(stack: string, plan: DownPlan): string {
  return plan.stays.length > 0
    ? `Nothing of the stack ${stack} runs. Its data is kept: ${plan.stays.join(", ")} (--volumes removes it).`
    : `There is nothing of the stack ${stack}.`;
}

function summary(stack: string, plan: DownPlan): string {
  return plan.stays.length > 0
    ? `The stack ${stack} is down. Its data is kept: ${plan.stays.join(", ")}.`
    : `The stack ${stack} is down, and nothing of it is left.`;
}

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { resourceName } from "../state/checkpoint";
import {
  condition,
  displayName,
  Inspection,
  listContainers,
  StoreContainer,
} from "../docker/containers";
import { Docker } from "../docker/docker";
import { EngineRun } from "../engine/runEngine";
import { HostProblem, hostProblem, UNREACHABLE } from "./hostDiagnostics";
import { CliError, ExitCode } from "@store/docker/cliError";
import {
  BuildFailed,
  ConfigRefused,
  DISK_FULL,
  failedStep,
  Finding,
  findings,
  ImageMissing,
  Protected,
  Unhealthy,
} from "./diagnostics";
import { isHeld, lockedError } from "../state/locks";
import { lastLines } from "../docker/logs";
import { diagnoseTakenPort } from "./port";
import { registryAddress, stackOption, storeCommand } from "../project/project";
import { isLocal, Session } from "../project/session";
import { findEngineLocks } from "../state/state";

/** What a failed run of the engine ends in: one message that says what is wrong, shows why, and says what to do. */
export async function diagnoseRun(
  verb: "up" | "preview" | "down",
  session: Session,
  docker: Docker | undefined,
  run: EngineRun,
): Promise<CliError> {
  if (run.interrupted) return interrupted(verb, session);
  const view = await lookAt(session, docker);
  const [first, ...others] = findings(run.events, run.stderr);
  if (first === undefined) {
    return new CliError(`The engine ended with exit code ${run.exitCode}.`, {
      hint: "What it printed above says why. ./store doctor checks what it needs.",
    });
  }
  const failure = await explain(first, { verb, session, view });
  const also = others.filter((other) => !isSame(first, other)).flatMap(oneLine);
  if (also.length === 0) return failure;
  return new CliError(`${failure.message}\n  Also: ${also.join("; ")}.`, failure);
}

interface Situation {
  readonly verb: "up" | "preview" | "down";
  readonly session: Session;
  readonly view: View;
}

/** What Docker has of the stack now; nothing where it can't be asked. */
interface View {
  readonly docker: Docker | undefined;
  readonly containers: readonly StoreContainer[];
}

async function lookAt(session: Session, docker: Docker | undefined): Promise<View> {
  if (docker === undefined) return { docker, containers: [] };
  try {
    const containers = await listContainers(docker, session.project.name, session.stack.name);
    return { docker, containers };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // That is what will be explained.
    return { docker: undefined, containers: [] };
  }
}

async function explain(finding: Finding, situation: Situation): Promise<CliError> {
  const { session, view } = situation;
  const again = againCommand(situation);
  switch (finding.kind) {
    case "daemonGone":
      return isLocal(session) ? daemonGone(finding, again) : machineGone(finding, situation);
    case "diskFull":
      return diskFull(`${finding.resource} can't be made: the disk is full.`, [finding.message]);
    case "portTaken":
      return diagnoseTakenPort(session, view.docker, finding.port);
    case "networksFull":
      return new CliError(
        `The network ${finding.resource} can't be made: Docker has no address range left for another one.`,
        {
          details: [finding.message],
          hint:
            `Each stack has a network for every database and two more. Take down a stack that isn't needed (./store ls lists ` +
            `them; ./store down STACK, whose data stays), or remove the networks that nobody uses (docker network prune). ` +
            `Docker gets more ranges by default-address-pools in its daemon.json. Then: ${again}`,
        },
      );
    case "build":
      return buildFailed(finding, session, again);
    case "notPublished":
      return new CliError(
        `The image of ${serviceOf(finding.image)} isn't published: ${finding.why}.`,
        {
          details: finding.evidence,
          hint: `What served before still does. Mend that, then: ${again}`,
        },
      );
    case "imageMissing":
      return imageMissing(finding, situation);
    case "unhealthy":
      return unhealthy(finding, view, session, again);
    case "protected":
      return dataKept(finding, session, again);
    case "config": {
      const problem = finding.key === undefined && ofHost(finding.message, situation);
      if (problem) {
        return new CliError(`The host can't be had: ${problem.what}.`, {
          details: finding.message.split("\n").slice(-20),
          hint: problem.remedy,
        });
      }
      return new CliError(finding.message, { hint: configRemedy(finding, situation) });
    }
    case "secret":
      if (finding.message.includes("incorrect passphrase")) {
        return new CliError(
          `${stackFile(session)} has the salt (encryptionsalt) of another passphrase than this checkout's.`,
          {
            hint:
              "Delete that line: this checkout has a salt of its own. Or give the passphrase that belongs to it: " +
              "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.",
          },
        );
      }
      return new CliError(
        `A secret of ${stackFile(session)} can't be read with this checkout's passphrase.`,
        {
          details: [finding.message],
          hint:
            `It was set in another checkout, or with another backend. Set it again here:\n` +
            `./store pulumi config set --secret KEY VALUE${stackOption(session.stack.name)}`,
        },
      );
    case "locked": {
      const lock = findEngineLocks(session.state, session.stack.name).find(isHeld);
      if (lock) return lockedError(session.stack.name, lock);
      return new CliError(`The stack ${session.stack.name} is being worked on by somebody else.`, {
        details: finding.message.split("\n"),
        hint: `Wait until that is done, then: ${again}`,
      });
    }
    case "program":
      return new CliError(`The program failed: ${finding.message}`, {
        details: finding.trace.map((line) => line.trim()).slice(0, 5),
        hint: `That is a mistake in index.ts or in what it imports. Mend it, then: ${again}`,
      });
    case "resource": {
      const problem = ofHost(finding.message, situation);
      if (problem) {
        const verb = situation.verb === "down" ? "deleted" : "made";
        const what = finding.inCloud
          ? `The ${finding.inCloud} can't be ${verb}`
          : "The host can't be had";
        return new CliError(`${what}: ${problem.what}.`, {
          details: finding.message.split("\n").slice(-22),
          hint: problem.remedy,
        });
      }
      return new CliError(`${finding.resource}: ${finding.message}`, {
        hint: `What was there before has been left as it was. Mend the cause, then: ${again}`,
      });
    }
    case "changesUnexpected":
      return new CliError("There are changes, listed above, and none were to be.", {
        hint:
          situation.verb === "preview"
            ? `${storeCommand("up", session.stack.name)} makes them.`
            : "They are made.",
      });
    case "engine":
      return new CliError(finding.message, {
        hint: "./store doctor checks what the engine needs.",
      });
  }
}

/** What is known of a host that isn't this machine. */
function ofHost(message: string, situation: Situation): HostProblem | undefined {
  const problem = isLocal(situation.session) ? undefined : hostProblem(message);
  return problem && { ...problem, remedy: hostRemedy(problem, situation) };
}

function hostRemedy({ remedy }: HostProblem, situation: Situation): string {
  const stack = situation.session.stack.name;
  return `${remedy.replaceAll("STACK", stack)}\nThen go on: ${againCommand(situation)}`;
}

function machineGone(
  { host, during }: Finding & { kind: "daemonGone" },
  situation: Situation,
): CliError {
  const what = during === undefined ? "Docker can't be asked" : `${during} can't be made`;
  return new CliError(`${what}: ${UNREACHABLE.what} (${host}).`, {
    hint: hostRemedy(UNREACHABLE, situation),
  });
}

function interrupted(verb: string, session: Session): CliError {
  const stack = session.stack.name;
  const remedy =
    verb === "preview"
      ? "A preview changes nothing."
      : `What was under way is recorded. ${storeCommand("up", stack)} goes on from there; ${storeCommand("ps", stack)} shows what runs.`;
  return new CliError(
    verb === "preview"
      ? "Interrupted."
      : `Interrupted: the stack ${stack} is as far as it got, and what served before still does.`,
    { hint: remedy, exitCode: ExitCode.Interrupted },
  );
}

function daemonGone(finding: Finding & { kind: "daemonGone" }, again: string): CliError {
  const during = finding.during ? ` while ${finding.during} was being made` : "";
  return new CliError(
    `Docker at ${finding.host} can't be reached any more: it went away${during}.`,
    {
      hint:
        `Start it again (systemctl start docker, or Docker Desktop); its containers come back by themselves. ` +
        `Then: ${again}`,
    },
  );
}

function diskFull(message: string, evidence: readonly string[], evidenceOf?: string): CliError {
  return new CliError(message, {
    details: evidence,
    detailsTitle: evidenceOf,
    hint:
      "Make room on the disk of Docker's data folder (docker system df shows what it uses; docker image prune and docker " +
      "builder prune remove what nobody uses), then run the command again.",
  });
}

function buildFailed(finding: BuildFailed, session: Session, again: string): CliError {
  const service = serviceOf(finding.image);
  const path = join(finding.context, finding.dockerfile);
  const logFile = finding.logFile ? join(session.project.root, finding.logFile) : undefined;
  const printed = logFile && existsSync(logFile) ? failedStep(readFileSync(logFile, "utf8")) : [];
  const [step, ...output] = printed;
  const evidence = printed.length > 0 ? [step ?? "", ...output.slice(-14)] : [finding.message];
  if (finding.diskFull || printed.some((line) => DISK_FULL.test(line))) {
    return diskFull(`The image of ${service} can't be built: the disk is full.`, evidence, path);
  }
  return new CliError(`The image of ${service} can't be built: ${path} failed.`, {
    details: evidence,
    detailsTitle: printed.length > 0 ? "The step that failed and what it printed last" : undefined,
    hint:
      `What served before still does. Mend ${path} or what it copies, then: ${again}` +
      (finding.logFile ? `\nThe whole log is ${finding.logFile}.` : ""),
  });
}

function dataKept({ urns }: Protected, session: Session, again: string): CliError {
  const names = urns.map(resourceName).sort();
  // As components/database/database.ts names them.
  const services = new Set(
    names.flatMap((name) => /^(.+)-data(-password)?$/.exec(name)?.[1] ?? []),
  );
  const folders = [...services].map((service) => `services/${service}`).join(", ");
  const why = folders ? `${folders} is gone` : "the program no longer has it";
  const back = folders ? `Put ${folders} back` : "Put back what made it";
  return new CliError(`Data would be lost: ${why}, and so ${names.join(", ")} would go.`, {
    hint:
      `Nothing of it was deleted, and what serves goes on. ${back}, then: ${again}\n` +
      `Or give that data up for good: ./store pulumi state unprotect --yes${stackOption(session.stack.name)} ` +
      // Their names have characters that mean something to a shell.
      `${urns.map((urn) => `'${urn}'`).join(" ")} && ${again}`,
  });
}

function imageMissing(finding: ImageMissing, situation: Situation): CliError {
  const { image, reason, refusedBy } = finding;
  const again = againCommand(situation);
  if (refusedBy === undefined) {
    return new CliError(`The image ${image} can't be had: ${reason}`, {
      hint:
        `Check its name (store:nodeImage, store:postgresImage, store:haproxyImage) and whether its registry can be ` +
        `reached, then: ${again}`,
    });
  }
  const { project, stack } = situation.session;
  const ours = registryAddress(project, stack) === refusedBy;
  return new CliError(
    `The host can't pull ${image}: the registry ${refusedBy} refuses the login` +
      `${ours ? " (store:registry: username, password)" : ""}.`,
    {
      details: [reason],
      hint: ours
        ? `What served before still does. Change it by: ./store pulumi config set --secret --path registry.password VALUE${stackOption(stack.name)}. Then: ${again}`
        : `Check whom that registry lets pull, then: ${again}`,
    },
  );
}

async function unhealthy(
  finding: Unhealthy,
  view: View,
  session: Session,
  again: string,
): Promise<CliError> {
  const container = view.containers.find(
    ({ id, name }) => id === finding.container || name.startsWith(`${finding.resource}-`),
  );
  if (view.docker === undefined || container === undefined) {
    return new CliError(`${finding.resource} never became healthy, and its container is gone.`, {
      hint: `Try again: ${again}`,
    });
  }
  const inspection = await inspectEnded(view.docker, container.id);
  const log = await logOfLastStart(view.docker, container.id, inspection);
  const name = displayName(container);
  const older = view.containers.find(
    (other) =>
      other.id !== container.id &&
      other.role === container.role &&
      other.service === container.service &&
      other.health === "healthy",
  );
  return new CliError(
    `${finding.resource} never became healthy: ${whyUnhealthy(inspection, container)}.`,
    {
      details: log.length > 0 ? log : ["(it has logged nothing)"],
      detailsTitle: `The last lines of its log (${container.name})`,
      hint:
        (older ? `${older.name}, which ran before, goes on serving. ` : "") +
        `Mend ${mendable(container)}, then: ${again}\n` +
        `Its whole log: ./store logs ${name}${stackOption(session.stack.name)}`,
    },
  );
}

/** One that is restarted again and again has an exit code in between only, and all of its log: it is given a moment to end once more. */
async function inspectEnded(docker: Docker, id: string): Promise<Inspection | undefined> {
  const deadline = Date.now() + 3_000;
  for (;;) {
    const inspection = await docker.get<Inspection>(`/containers/${id}/json`);
    const again = inspection?.State.Status === "running" && (inspection.RestartCount ?? 0) > 0;
    if (!again || Date.now() > deadline) return inspection;
    await sleep(100);
  }
}

/** One that is restarted again and again has logged the same each time; once is enough. */
async function logOfLastStart(
  docker: Docker,
  id: string,
  inspection: Inspection | undefined,
): Promise<string[]> {
  const lines = await lastLines(docker, id, 15);
  const started = inspection?.State.StartedAt ?? "";
  const latest = lines.filter(({ time }) => time >= started);
  return (latest.length > 0 ? latest : lines).map(({ text }) => text);
}

/** What Docker knows about it, in words. */
export function whyUnhealthy(
  inspection: Inspection | undefined,
  container: Pick<StoreContainer, "state" | "status" | "health">,
): string {
  const state = inspection?.State;
  if (state === undefined) return "its container is gone";
  const restarts = inspection?.RestartCount ?? 0;
  const limit = inspection?.HostConfig?.Memory;
  const memory = limit ? `its limit of ${Math.round(limit / 1024 / 1024)} MiB` : "its limit";
  if (state.OOMKilled) return `it was killed because it needed more memory than ${memory}`;
  if (!state.Running || (restarts > 0 && state.Status !== "running")) {
    const times = restarts > 0 ? `, and again after each of ${restarts} restarts` : "";
    const code = state.ExitCode;
    // 137 is SIGKILL: nobody but the kernel sends it to a container that nobody stops.
    if (code === 137) {
      return `it was killed (exit code 137${times}), most likely because it needed more memory than ${memory}`;
    }
    if (state.Error) return `it can't be started: ${state.Error}`;
    return restarts > 0 || state.Status === "exited"
      ? `it exited with code ${code}${times}`
      : `it is ${state.Status}`;
  }
  if (restarts > 0) return `it ended and was started again, ${restarts} times by now`;
  const check = state.Health?.Log?.at(-1);
  if (check === undefined) return `it is ${condition(container)}`;
  // As components/container/health.ts asks where a spec doesn't say otherwise.
  if (/exec: "bash": .*not found/.test(check.Output)) {
    return "its image has no bash to ask for its health; give its spec a health.command";
  }
  const said = check.Output.trim().split("\n").at(-1)?.slice(0, 200);
  return check.ExitCode === 0
    ? "its health check has only now succeeded; it may need more time to start"
    : `its health check fails (exit code ${check.ExitCode})${said ? `: ${said}` : ""}`;
}

function mendable(container: StoreContainer): string {
  if (container.role === "gateway") return "what its log complains about";
  if (container.role === "database") return "what its log complains about";
  return `services/${container.service}`;
}

function configRemedy({ key, midway }: ConfigRefused, { session, verb }: Situation): string {
  const stack = session.stack.name;
  const short = key?.replace(`${session.project.name}:`, "");
  const change = short
    ? `Change it in ${stackFile(session)}, or by: ./store pulumi config set ${SECRET.test(short) ? "--secret " : ""}${short} VALUE${stackOption(stack)}`
    : `Change that, then: ${storeCommand(verb, stack)}`;
  return `${midway ? "What served before still does." : "Nothing was changed."} ${change}`;
}

const SECRET = /^(sshPrivateKey|secrets\b.*)$/;

function stackFile(session: Session): string {
  return session.stack.file.replace(`${session.project.root}/`, "");
}

function againCommand({ verb, session }: Situation): string {
  return storeCommand(verb, session.stack.name);
}

/** Whether they have one cause: a value of the configuration that each of the databases complains about, or the registry. */
function isSame(one: Finding, other: Finding): boolean {
  if (one.kind === "config" && other.kind === "config") {
    return one.key !== undefined && one.key === other.key;
  }
  if (one.kind === "imageMissing" && other.kind === "imageMissing") {
    return one.refusedBy !== undefined && one.refusedBy === other.refusedBy;
  }
  return one.kind === "notPublished" && other.kind === "notPublished" && one.why === other.why;
}

/** As people call it: "inventory" for inventory-image. */
function serviceOf(image: string): string {
  return image.replace(/-image$/, "");
}

function oneLine(finding: Finding): string[] {
  switch (finding.kind) {
    case "unhealthy":
      return [`${finding.resource} never became healthy`];
    case "build":
      return [`the image of ${serviceOf(finding.image)} can't be built`];
    case "notPublished":
      return [`the image of ${serviceOf(finding.image)} isn't published`];
    case "imageMissing":
      return [`the image ${finding.image} can't be had`];
    case "protected":
      return [`${finding.urns.map(resourceName).join(", ")} would be deleted`];
    case "resource":
      return [`${finding.resource}: ${finding.message.split("\n")[0] ?? ""}`];
    case "config":
    case "engine":
    case "program":
      return [finding.message.split("\n")[0] ?? ""];
    default:
      return [];
  }
}

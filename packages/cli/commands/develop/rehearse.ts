import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { ensureDocker } from "@store/toolchain/tools/docker";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { findOnPath } from "@store/toolchain/system/run";
import { Rehearsal, Step, StepFailed } from "../../../../test/staging/rehearsal";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { baseImageNames, DEFAULT_STACK, findStack, readProject, ROOT } from "../../project/project";
import { colors, Reporter, reporter, table } from "../../terminal/terminal";

export interface RehearseOptions {
  readonly keep?: boolean;
  /** What is broken, one after the other. @default nothing */
  readonly fail?: readonly string[];
  readonly host: "azure" | "ssh";
  /** Whose registry the images go to. */
  readonly registry: "named" | "azure";
  /** 1 takes the time that Azure takes for its resources, 0 none. */
  readonly pace: number;
}

/** The staging stack from nothing to nothing on a stand-in for Azure, with a table of its steps at the end. */
export async function rehearse(options: RehearseOptions): Promise<ExitCode> {
  if (!(options.pace >= 0)) throw new UsageError("--pace takes a number from 0 on, such as 0.1.");
  const report = reporter();
  const dockerHost = await setUp(report);
  const steps: Step[] = [];
  const rehearsal = start(options, dockerHost, report, steps);
  const interruption = interruptedBySignal();
  let kept = options.keep === true;
  try {
    await Promise.race([rehearsal.run(), interruption.happened]);
    if (!kept) await Promise.race([rehearsal.down(), interruption.happened]);
    return ExitCode.Ok;
  } catch (error) {
    if (error instanceof Interrupted) {
      kept = false;
      return ExitCode.Interrupted;
    }
    if (error instanceof StepFailed) throw asFailure(error);
    throw error;
  } finally {
    interruption.stop();
    if (kept) rehearsal.keep().forEach((line) => process.stdout.write(`${line}\n`));
    else await ended(rehearsal, report);
    process.stdout.write(`${stepTable(steps)}\n`);
  }
}

function start(
  options: RehearseOptions,
  dockerHost: string,
  report: Reporter,
  steps: Step[],
): Rehearsal {
  const onStep = (step: Step): void => void steps.push(step);
  try {
    const { pace, fail: faults = [], host, registry } = options;
    return new Rehearsal({ root: ROOT, dockerHost, pace, faults, host, registry, report, onStep });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function ended(rehearsal: Rehearsal, report: Reporter): Promise<void> {
  report.step("Ending the stand-in cloud");
  await rehearsal.end();
}

async function setUp(report: Reporter): Promise<string> {
  if (process.platform !== "linux") {
    throw new CliError(
      "The rehearsal boots a machine in a container, which takes Docker on Linux itself.",
      {
        hint: "Run it on a Linux machine, or in CI.",
      },
    );
  }
  const docker = await ensureDocker(report);
  if (!docker.host.startsWith("unix://")) {
    throw new CliError(
      `The rehearsal needs the Docker daemon of this machine, and ${docker.hostFrom} names ${docker.host}.`,
      {
        hint: "Unset it for this command.",
      },
    );
  }
  if (findOnPath("docker") === undefined) {
    throw new CliError("The rehearsal needs the docker command.", {
      hint: "Debian, Ubuntu: apt-get install docker-cli (or docker.io).",
    });
  }
  await ensureEngine(report);
  const project = readProject();
  await ensureBaseImages(
    baseImageNames(project, findStack(project, DEFAULT_STACK)),
    docker,
    report,
  );
  return docker.host;
}

class Interrupted extends Error {}

/** A promise that fails when somebody wants it to end. A second signal doesn't wait for the cleaning up. */
function interruptedBySignal(): { happened: Promise<never>; stop: () => void } {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let handle: () => void = () => undefined;
  const happened = new Promise<never>((_resolve, reject) => {
    let count = 0;
    handle = () => {
      count += 1;
      if (count === 1) reject(new Interrupted());
      else process.exit(ExitCode.Interrupted);
    };
    for (const signal of signals) process.on(signal, handle);
  });
  // Nobody may be waiting for it when it happens.
  happened.catch(() => undefined);
  return { happened, stop: () => signals.forEach((signal) => process.off(signal, handle)) };
}

function asFailure(error: StepFailed): CliError {
  return new CliError(`The rehearsal failed at "${error.step}": ${error.message}`, {
    details: error.evidence,
    hint: "./store rehearse --keep leaves what there is for looking into it.",
  });
}

function stepTable(steps: readonly Step[]): string {
  return table(steps, [
    { title: "step", value: ({ name }) => name },
    { title: "seconds", value: ({ seconds }) => seconds.toFixed(1), align: "right" },
    {
      title: "seen from outside",
      value: ({ detail }) => detail.split("\n")[0] ?? "",
      paint: (text, { failed }) => (failed ? colors.red(text) : text),
    },
  ]);
}

import { InvalidArgumentError, Option } from "commander";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { Docker } from "@store/docker/docker";
import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { findOnPath } from "@store/toolchain/system/run";
import { ensureDocker } from "@store/toolchain/tools/docker";
import type { Rehearsal, Step, StepFailed } from "../../../../test/staging/rehearsal";
import { baseImageNames, configText, findStack, readProject, ROOT } from "../../project/project";
import { DEFAULT_STACK } from "../../project/storeCommand";
import { colors, Reporter, reporter, table } from "../../terminal/terminal";
import { defineCommand } from "../command";

interface RehearseFlags {
  readonly keep?: boolean;
  readonly fail?: readonly string[];
  readonly host: "azure" | "ssh";
  readonly hosts: number;
  readonly image?: string;
  readonly registry: "named" | "azure";
  readonly pace: number;
}

interface RehearseOptions {
  /** Keep the stack and the emulator running. */
  readonly keep: boolean;
  /** Faults to inject, one after the other. */
  readonly faults: readonly string[];
  readonly host: "azure" | "ssh";
  /** Number of machines. */
  readonly hosts: number;
  /** Image "publisher:offer:sku:version" of the machines. @default Debian 12 */
  readonly vmImage?: string;
  readonly registry: "named" | "azure";
  /** Factor on the time that Azure takes for its resources: 1 for the real time, 0 for none. */
  readonly latencyFactor: number;
}

export const rehearse = defineCommand<RehearseFlags, RehearseOptions>({
  name: "rehearse",
  summary:
    "deploy and remove the staging stack on this machine, with an emulator in place of Azure",
  flags: [
    new Option("--keep", "keep everything running, and print how to inspect and stop it"),
    new Option(
      "--fail <fault...>",
      "inject faults, one after the other; an unknown name prints the list of faults",
    ),
    new Option("--host <kind>", "an Azure VM, or an existing machine with SSH and without Docker")
      .choices(["azure", "ssh"])
      .default("azure"),
    new Option("--hosts <number>", "number of machines; several run the services by Docker Swarm")
      .argParser(parseHosts)
      .default(1),
    new Option(
      "--image <name>",
      "store:vmImage: Debian 12 (the default), Debian 13 or Ubuntu 24.04; an unknown name prints the list",
    ),
    new Option("--registry <kind>", "an existing registry, or one that the stack creates in Azure")
      .choices(["named", "azure"])
      .default("named"),
    new Option(
      "--pace <factor>",
      "factor on the time that Azure takes for its resources; 1 for the real time, 0 for none",
    )
      .argParser(parseFactor)
      .default(0.1),
  ],
  examples: [
    "./store rehearse",
    "./store rehearse --keep                 keeps the stack for inspection",
    "./store rehearse --hosts 3              runs the services on two further VMs",
    "./store rehearse --host ssh --hosts 3   runs the services on two further machines with SSH",
    "./store rehearse --image Canonical:ubuntu-24_04-lts:server:latest",
    "./store rehearse --fail quota           injects a fault and shows the recovery",
  ],
  parse: ({ flags: { keep, fail = [], host, hosts, image, registry, pace } }) => ({
    keep: keep === true,
    faults: fail,
    host,
    hosts,
    vmImage: image,
    registry,
    latencyFactor: pace,
  }),
  run,
});

function parseFactor(text: string): number {
  const factor = Number(text);
  if (text.trim() !== "" && factor >= 0 && factor < Infinity) return factor;
  throw new InvalidArgumentError("It must be a number of at least 0, such as 0.1.");
}

function parseHosts(text: string): number {
  if (/^[1-5]$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number from 1 to 5.");
}

/** Loads the rehearsal on first use: it would slow down `./store --help`. */
function loadRehearsal(): typeof import("../../../../test/staging/rehearsal") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require("../../../../test/staging/rehearsal") as typeof import("../../../../test/staging/rehearsal");
}

async function run(options: RehearseOptions): Promise<ExitCode> {
  const { StepFailed } = loadRehearsal();
  const report = reporter();
  const dockerHost = await setUp(report);
  const steps: Step[] = [];
  const rehearsal = createRehearsal(options, dockerHost, report, steps);
  const interruption = interruptedBySignal();
  let keep = options.keep;
  try {
    await Promise.race([rehearsal.run(), interruption.happened]);
    if (!keep) await Promise.race([rehearsal.down(), interruption.happened]);
    return ExitCode.Ok;
  } catch (error) {
    if (error instanceof Interrupted) {
      keep = false;
      return ExitCode.Interrupted;
    }
    if (error instanceof StepFailed) throw rehearsalFailed(error);
    throw error;
  } finally {
    interruption.stop();
    if (keep) rehearsal.keep().forEach((line) => process.stdout.write(`${line}\n`));
    else await endRehearsal(rehearsal, report);
    process.stdout.write(`${renderSteps(steps)}\n`);
  }
}

/** @throws UsageError for an unknown fault. */
function createRehearsal(
  { faults, host, hosts, vmImage, registry, latencyFactor }: RehearseOptions,
  dockerHost: string,
  report: Reporter,
  steps: Step[],
): Rehearsal {
  const onStep = (step: Step): void => void steps.push(step);
  const { Rehearsal } = loadRehearsal();
  const common = { root: ROOT, dockerHost, report, onStep, https: true, thorough: true };
  try {
    return new Rehearsal({ ...common, latencyFactor, faults, host, hosts, vmImage, registry });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

async function endRehearsal(rehearsal: Rehearsal, report: Reporter): Promise<void> {
  report.step("Stopping the Azure emulator");
  await rehearsal.end();
}

/** Checks the requirements of the rehearsal and returns the address of the local Docker daemon. */
async function setUp(report: Reporter): Promise<string> {
  if (process.platform !== "linux") {
    throw new CliError("The rehearsal boots a VM in a container, which requires Docker on Linux.", {
      hint: "Run it on a Linux machine or in CI.",
    });
  }
  const docker = await ensureDocker(report);
  if (!docker.host.startsWith("unix://")) {
    throw new CliError(
      `The rehearsal requires this machine's Docker daemon, but ${docker.hostFrom} names ${docker.host}.`,
      {
        hint: "Select it for this command: DOCKER_HOST=unix:///var/run/docker.sock ./store rehearse",
      },
    );
  }
  if (findOnPath("docker") === undefined) {
    throw new CliError("The rehearsal requires the docker command.", {
      hint: "Install it (Debian, Ubuntu: apt-get install docker-cli or docker.io).",
    });
  }
  await ensureEngine(report);
  const project = readProject();
  const stack = findStack(project, DEFAULT_STACK);
  // The stack itself orders no certificate, but the rehearsal does.
  const lego = configText(project, stack, "legoImage");
  const images = { ...baseImageNames(project, stack), lego };
  await ensureBaseImages(images, new Docker(docker), report);
  return docker.host;
}

class Interrupted extends Error {}

/** Returns a promise that rejects on the first signal. The second signal exits without waiting for the cleanup. */
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
  // Prevents an unhandled rejection if the signal arrives when nothing awaits the promise.
  happened.catch(() => undefined);
  return { happened, stop: () => signals.forEach((signal) => process.off(signal, handle)) };
}

function rehearsalFailed({ step, message, evidence }: StepFailed): CliError {
  return new CliError(`The rehearsal failed at step "${step}": ${message}`, {
    details: evidence,
    hint: "./store rehearse --keep keeps the stack for inspection.",
  });
}

function renderSteps(steps: readonly Step[]): string {
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

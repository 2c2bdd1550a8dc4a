import { type Fault, phaseOf } from "@store/azure-emulator/arm/faults";
import { type ContextOptions, RehearsalContext, STACK } from "./context";
import { failOrder } from "./steps/certificateSteps";
import { checkDay2Commands } from "./steps/day2Checks";
import { runDocumentedCommands } from "./steps/documentedCommands";
import {
  expectNoChangesElsewhere,
  prepare,
  previewChangedService,
  previewFromNothing,
  replaceVm,
  up,
  upUnderLoad,
} from "./steps/deploySteps";
import {
  checkWorkersFirewall,
  growFromOne,
  joinedNodes,
  replaceLostWorker,
} from "./steps/azureSwarmSteps";
import { driftWithoutChanges, refreshWithoutChanges } from "./steps/driftSteps";
import { checkFaults, failWith } from "./steps/faultInjection";
import {
  checkAgent,
  checkFirewall,
  checkProvisioning,
  checkSettings,
  checkWaysOut,
  checkWorkersWaysOut,
} from "./steps/hostChecks";
import { checkHostToken } from "./steps/hostToken";
import { stopAndStart } from "./steps/powerSteps";
import { repairAndCrash } from "./steps/repairSteps";
import { type Step, StepFailed, StepRunner } from "./report";
import { failThird, killUp, loseSwarm, renameMachines, repairMachines } from "./steps/swarmDrift";
import {
  changeWorkers,
  checkLargeAnswers,
  checkSpread,
  checkToken,
  loseWorker,
  partitionWorker,
  restartDocker,
  shrinkToOne,
} from "./steps/swarmSteps";
import { down } from "./steps/teardownSteps";

export { type Step, StepFailed };

export interface RehearseOptions extends ContextOptions {
  /** Faults to inject one after the other, see arm/faults.ts. Each is cleared before the rehearsal goes on. */
  readonly faults: readonly string[];
  /** Several machines: also rehearses a rollout that fails and the loss of the swarm, which takes minutes. @default false */
  readonly thorough?: boolean;
  /** Called with each finished step. */
  readonly onStep: (step: Step) => void;
}

/** Options that are off by default. With the lock, each teardown must delete the lock before the disk. */
const OPTIONS = {
  "store:tags": { costCentre: "rehearsal" },
  "store:dataDiskLock": true,
  "store:diskSnapshots": true,
};

/** Faults that don't prevent `./store down`. */
const HARMLESS: readonly string[] = ["unreachable", "vm-gone", "group-gone"] satisfies Fault[];

/** Deploys the staging stack to the Azure emulator, checks it, and takes it down. */
export class Rehearsal {
  private readonly context: RehearsalContext;
  private readonly steps: StepRunner;
  /** ID of the order that must survive the replacement of the VM. */
  private orderId = "";

  /** @throws an error that lists all faults, if one of `options.faults` is unknown. */
  constructor(private readonly options: RehearseOptions) {
    checkFaults(options.faults);
    this.context = new RehearsalContext(options);
    this.steps = new StepRunner(options.report, options.onStep, () => this.context.hostLog());
  }

  get id(): string {
    return this.context.id;
  }

  get folder(): string {
    return this.context.folder;
  }

  /** Runs all steps until the stack is up and checked. @throws StepFailed */
  async run(): Promise<void> {
    await this.begin();
    for (const fault of this.faults("up")) await this.fail("up", fault);
    await this.complete();
  }

  /** Runs the steps before the first `up`. */
  async begin(): Promise<void> {
    await this.prepare();
    if (this.options.host === "azure") this.context.configureForGood(OPTIONS);
    await this.steps.run("preview from nothing", () => previewFromNothing(this.context));
  }

  /** Runs a command while a fault is active, and checks that it fails with one message. */
  async fail(command: "up" | "down", fault: string): Promise<void> {
    await this.steps.run(`${command} with fault ${fault}`, () =>
      failWith(this.context, command, fault),
    );
  }

  /** Brings the stack up from any state, and checks it. */
  async complete(): Promise<void> {
    const { context, steps } = this;
    const { host, hosts = 1, registry } = this.options;
    if (hosts > 1) return this.completeSwarm();
    await steps.run("up", () => up(context));
    if (host === "azure") {
      await steps.run("firewall", () => checkFirewall(context));
      await steps.run("Azure's agent", () => checkAgent(context));
      await steps.run("provisioning of the VM", () => checkProvisioning(context));
      await steps.run("settings of the host", () => checkSettings(context));
    }
    await steps.run("containers' ways out", () => checkWaysOut(context));
    if (registry === "azure")
      await steps.run("permissions of the host's token", () =>
        checkHostToken(context.workspace, STACK),
      );
    await steps.run("buy a product by HTTPS at the store's name", () => this.buy());
    await steps.run("docker and the daily commands", () => checkDay2Commands(context));
    await steps.run("commands of the documentation", () =>
      runDocumentedCommands(context.workspace),
    );
    await steps.run("refresh without changes", () => refreshWithoutChanges(context));
    await steps.run("no changes from another workspace", () => expectNoChangesElsewhere(context));
    for (const fault of this.faults("running"))
      await steps.run(`preview after ${fault}`, () => driftWithoutChanges(context, fault));
    for (const fault of this.faults("order"))
      await steps.run(`order with fault ${fault}`, () => failOrder(context, fault));
    await steps.run("preview of one changed service", () => previewChangedService(context));
    await steps.run("up of that service under load", () => upUnderLoad(context));
    await steps.run("repair and crash of a container on the host", () => repairAndCrash(context));
    if (host === "azure") await steps.run("replace the VM", () => replaceVm(context, this.orderId));
  }

  /** Brings the stack up on several machines, and checks what differs from one. */
  private async completeSwarm(): Promise<void> {
    const { context, steps } = this;
    const { host, hosts = 1 } = this.options;
    await (host === "azure" ? this.growInAzure() : steps.run("up", () => up(context)));
    await steps.run("instances on the machines", () => checkSpread(context));
    await steps.run("instances' ways out", () => checkWorkersWaysOut(context));
    await steps.run("buy a product by HTTPS at the store's name", () => this.buy());
    await steps.run("large answers between the machines", () => checkLargeAnswers(context));
    await steps.run("token of the workers", () => checkToken(context));
    await steps.run("refresh without changes", () => refreshWithoutChanges(context));
    await steps.run("preview of one changed service", () => previewChangedService(context));
    await steps.run("up of that service under load", () => upUnderLoad(context));
    await steps.run("restart of the host's Docker", () => restartDocker(context));
    if (hosts > 2) {
      if (host === "ssh") {
        await steps.run("loss of a machine under load", () => loseWorker(context));
        await steps.run("partition of a machine under load", () => partitionWorker(context));
        await steps.run("repair of the machines", () => repairMachines(context));
      }
      await steps.run("fewer and more machines under load", () => changeWorkers(context));
      if (host === "ssh" && this.options.thorough) {
        await steps.run("other names of the machines", () => renameMachines(context));
        await steps.run("killed up", () => killUp(context));
        await steps.run("third of three services fails", () => failThird(context));
        await steps.run("loss of the swarm", () => loseSwarm(context, this.orderId));
      }
    }
    if (host === "azure") await this.replaceInAzure();
    // The other rehearsals take the stack down together with its workers.
    if ((host === "azure") === hosts > 2)
      await steps.run("up on one machine again", () => shrinkToOne(context, this.orderId));
  }

  /** Brings the stack up on one VM, then on several. */
  private async growInAzure(): Promise<void> {
    const { context, steps } = this;
    context.configureWorkers(0);
    await steps.run("up on one VM", () => up(context));
    await steps.run("buy a product on one VM", () => this.buy());
    await steps.run("up on several VMs", () => growFromOne(context, this.orderId));
    await steps.run("firewall", () => checkFirewall(context));
    await steps.run("firewall of the workers", () => checkWorkersFirewall(context));
  }

  private async replaceInAzure(): Promise<void> {
    const { context, steps } = this;
    await steps.run("replace a lost worker", () => replaceLostWorker(context));
    await steps.run("replace the host", async () => {
      const detail = await replaceVm(context, this.orderId);
      return `${detail}; ${await joinedNodes(context)}`;
    });
    await steps.run("stop and start all VMs", () => stopAndStart(context));
    await steps.run("nodes after the start", () => joinedNodes(context));
    await steps.run("preview without changes", () => refreshWithoutChanges(context));
  }

  /** Only brings the stack up, for benchmarks. @throws StepFailed */
  async bringUp(): Promise<void> {
    await this.prepare();
    await this.steps.run("up", () => up(this.context));
  }

  /**
   * Takes the stack down from any state, and checks that nothing is left.
   *
   * @param faults Faults to inject one after the other. @default the options' faults for `down`
   */
  async down(faults: readonly string[] = this.faults("down")): Promise<void> {
    for (const fault of faults.filter((one) => !HARMLESS.includes(one)))
      await this.fail("down", fault);
    const harmless = faults.filter((one) => HARMLESS.includes(one));
    await this.steps.run(["down", ...harmless].join(", "), () => down(this.context, harmless));
  }

  /** Runs `./store COMMAND STACK ARGS…` in the workspace. @returns its output. */
  store(command: string, ...args: string[]): Promise<string> {
    return this.context.workspace.succeed(command, STACK, ...args);
  }

  /** Returns the stack's state, as JSON of `pulumi stack export`. */
  async state(): Promise<string> {
    const { workspace } = this.context;
    const output = await workspace.succeed("pulumi", "stack", "export", "--stack", STACK);
    // ./store may print other lines first.
    return output.slice(output.indexOf("{"));
  }

  /** Leaves the stack and the emulator running. @returns lines for the user: the URL, how to inspect the stack, how to end it. */
  keep(): string[] {
    const { runningEmulator: emulator, folder, workspaceFolder, configFile } = this.context;
    emulator?.detach();
    const env = Object.entries(emulator?.env ?? {}).map(([name, value]) => {
      const shown = value.replace(process.env["PATH"] ?? "", "$PATH");
      return `${name}="${shown}"`;
    });
    return [
      `http://${emulator?.publicAddress() ?? ""}/`,
      `cd ${workspaceFolder} && export ${env.join(" ")} STORE_CONFIG_FILE=${configFile} && ./store ps ${STACK}`,
      `kill ${emulator?.ready.pid ?? ""} && rm -rf ${folder}`,
    ];
  }

  /** Ends the rehearsal in any state, and removes everything on this machine. */
  end(): Promise<void> {
    return this.context.dispose();
  }

  private prepare(): Promise<void> {
    return this.steps.run("start the emulator and its registry, copy the repository", () =>
      prepare(this.context),
    );
  }

  private async buy(): Promise<string> {
    const { probe, site } = this.context;
    if (site) await probe.expectRedirect(site);
    this.orderId = await probe.buy();
    return `order ${this.orderId} confirmed`;
  }

  private faults(phase: ReturnType<typeof phaseOf>): string[] {
    return this.options.faults.filter((fault) => phaseOf(fault) === phase);
  }
}

import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { messageOf } from "@store/docker/messageOf";
import { Reporter } from "@store/toolchain/system/report";
import { CATALOGUE } from "@store/azure-emulator/arm/catalogue";
import { Fault, FAULTS, isFault, phaseOf } from "@store/azure-emulator/arm/faults";
import { textAt } from "@store/azure-emulator/arm/values";
import { breakBy } from "./faultInjection";
import { Checkout, CommandFailed, copyCheckout } from "./workspace";
import { CloudProcess } from "@store/azure-emulator/cloudProcess";
import { Customer } from "./customer";
import { docker, namesOf } from "@store/azure-emulator/docker";
import { OWNER_FILE } from "@store/azure-emulator/orphans";
import { machineName } from "@store/azure-emulator/machine/machine";
import { tryHostToken } from "./hostToken";
import { lookIntoHost } from "./day2Checks";
import { repositoriesIn } from "@store/azure-emulator/registry/registry";
import { processIdentity } from "@store/toolchain/system/processIdentity";
import { imagesOf, removeEverything, removeImages } from "@store/azure-emulator/environment";

export interface RehearseOptions {
  /** The checkout whose staging stack is rehearsed. */
  readonly root: string;
  /** The Docker daemon of this machine. */
  readonly dockerHost: string;
  /** 1 takes the time that Azure takes for each of its resources, 0 none. */
  readonly pace: number;
  /**
   * What is broken, one after the other, see azure/faults.ts: each is seen to be told in one message and is mended, before the
   * rest goes on.
   */
  readonly faults: readonly string[];
  /** A VM that the stack makes in Azure, or a machine that there is, without Docker. */
  readonly host: "azure" | "ssh";
  /** Whose registry it is: one that is named, or one that the stack makes in Azure. */
  readonly registry: "named" | "azure";
  readonly report: Reporter;
  /** Called with each step as it ends. */
  readonly onStep: (step: Step) => void;
  /** Called with the folder of the checkout's copy before that is used. @default nothing */
  readonly onCopy?: (folder: string) => void;
}

/** A step that has ended. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  /** What was found; the failure, if it is one. */
  readonly detail: string;
  readonly failed: boolean;
}

/** What happened to the step that failed, with the end of what was printed. */
export class StepFailed extends Error {
  constructor(
    readonly step: string,
    message: string,
    readonly evidence: readonly string[],
  ) {
    super(message);
    this.name = "StepFailed";
  }
}

/** A region's customers wait for it this long after its machine was replaced. */
const OPEN_LIMIT_MS = 120_000;
const STACK = "rehearsal";
/** For a machine that comes up, on whatever loaded machine this is. */
const READY_MINUTES = 8;
/** What is in the way of nobody who takes the stack down. */
const HARMLESS: readonly string[] = ["unreachable", "vm-gone", "group-gone"] satisfies Fault[];
const CHANGED_SERVICE = "inventory";

/** The staging stack from nothing to nothing, on a stand-in cloud on this machine. */
export class Rehearsal {
  readonly id = randomBytes(3).toString("hex");
  readonly folder: string;
  private cloud: CloudProcess | undefined;
  private checkout: Checkout | undefined;
  /** The id of the order that must outlive the machine. */
  private bought = "";

  constructor(private readonly options: RehearseOptions) {
    const unknown = options.faults.find((fault) => !isFault(fault, CATALOGUE.keys()));
    if (unknown !== undefined) {
      const list = Object.entries(FAULTS).map(([name, { what }]) => `  ${name.padEnd(15)} ${what}`);
      const types = [...CATALOGUE.keys()].map((token) => token.split(":").at(-1)).join(", ");
      throw new Error(
        `"${unknown}" is nothing that can be broken. There is\n${list.join("\n")}\n` +
          `and TYPE:create, TYPE:update, TYPE:remove for ${types}.`,
      );
    }
    this.folder = mkdtempSync(path.join(tmpdir(), `store-rehearsal-${this.id}-`));
    writeFileSync(path.join(this.folder, OWNER_FILE), processIdentity());
  }

  /** How the rehearsal can be looked into while it runs. */
  get log(): string {
    return path.join(this.folder, "log");
  }

  /** @throws StepFailed */
  async run(): Promise<void> {
    await this.begin();
    for (const fault of this.faults("up")) await this.fail("up", fault);
    await this.complete();
  }

  /** All that is there before the stack is. */
  async begin(): Promise<void> {
    await this.step("stand-in cloud, registry, checkout", () => this.prepare());
    await this.step("preview before anything exists", () => this.previewNothing());
  }

  /** One message with a way out, and nothing that is in the way of the next run. */
  async fail(verb: "up" | "down", fault: string): Promise<void> {
    await this.step(`${verb} with ${fault} broken`, () => this.broken(verb, fault));
  }

  /** Brings the stack up, from whatever there is of it, and has it show what it can. */
  async complete(): Promise<void> {
    await this.step("up", () => this.up());
    if (this.options.host === "azure") await this.step("who gets in", () => this.whoGetsIn());
    if (this.options.registry === "azure")
      await this.step("what the host's token may do", () => tryHostToken(this.theCheckout, STACK));
    await this.step("buy something through port 80", () => this.buy());
    await this.step("docker and the verbs reach the host", () => this.lookIntoHost());
    await this.step("preview shows nothing", () => this.unchanged("preview", STACK));
    await this.step("refresh shows nothing", () => this.unchanged("preview", STACK, "--refresh"));
    await this.step("another checkout finds nothing to do", () => this.elsewhere());
    await this.step("preview of one changed service names it", () => this.previewChange());
    await this.step("up of it, no request lost", () => this.upChange());
    if (this.options.host === "azure")
      await this.step("replace the machine", () => this.replaceMachine());
  }

  /** Only brings the stack up, for the benches. @throws StepFailed */
  async bringUp(): Promise<void> {
    await this.step("stand-in cloud, registry, checkout", () => this.prepare());
    await this.step("up", () => this.up());
  }

  /** `./store VERB STACK ARGS…` in the checkout's copy. @returns what it prints */
  store(verb: string, ...args: string[]): Promise<string> {
    return this.theCheckout.succeed(verb, STACK, ...args);
  }

  /** The engine's record of the stack, as JSON. */
  async record(): Promise<string> {
    const output = await this.theCheckout.succeed("pulumi", "stack", "export", "--stack", STACK);
    // What the command says beside it comes before it.
    return output.slice(output.indexOf("{"));
  }

  /**
   * Takes down what there is of the stack, and finds nothing left of it.
   *
   * @param faults What is broken, one after the other. @default those that it was made with
   */
  async down(faults: readonly string[] = this.faults("down")): Promise<void> {
    for (const fault of faults.filter((one) => !HARMLESS.includes(one)))
      await this.fail("down", fault);
    const harmless = faults.filter((one) => HARMLESS.includes(one));
    await this.step(["down", ...harmless].join(", "), () => this.takeDown(harmless));
  }

  /** Leaves it running; the stand-in cloud goes on by itself. */
  keep(): string[] {
    this.cloud?.letGo();
    const env = Object.entries(this.cloud?.env ?? {}).map(([name, value]) => {
      const shown = value.replace(process.env["PATH"] ?? "", "$PATH");
      return `${name}="${shown}"`;
    });
    return [
      `http://${this.cloud?.publicAddress() ?? ""}/`,
      `cd ${this.checkoutFolder} && export ${env.join(" ")} STORE_CONFIG_FILE=${this.configFile} && ./store ps ${STACK}`,
      `kill ${this.cloud?.ready.pid ?? ""} && rm -rf ${this.folder}`,
    ];
  }

  /** Ends everything, whatever state it is in, and leaves nothing on this machine. */
  async end(): Promise<void> {
    await this.checkout?.interrupt();
    await this.cloud?.end();
    await removeEverything(this.id, this.cloud?.ready.registry.image);
    rmSync(this.folder, { recursive: true, force: true });
  }

  // The steps ------------------------------------------------------------------------------------------------------

  private async prepare(): Promise<string> {
    const { root, dockerHost, pace, report } = this.options;
    const cloud = CloudProcess.start(
      path.join(this.folder, "cloud"),
      { id: this.id, dockerHost, pace, plainMachine: this.options.host === "ssh" },
      (line) => report.progress(line),
    );
    // Both at once; but neither goes on behind a failure of the other.
    const [started, copied] = await Promise.allSettled([
      cloud,
      copyCheckout(root, this.checkoutFolder),
    ]);
    if (started.status === "fulfilled") this.cloud = started.value;
    for (const result of [started, copied]) if (result.status === "rejected") throw result.reason;
    this.options.onCopy?.(this.checkoutFolder);
    this.configure();
    this.checkout = this.checkoutIn(this.checkoutFolder);
    return `registry ${this.theCloud.ready.registry.address}`;
  }

  /** Pulumi.staging.yaml with what differs without Azure. */
  private configure(change: Readonly<Record<string, unknown>> = {}): void {
    const { registry } = this.theCloud.ready;
    const staging = parse(
      readFileSync(path.join(this.checkoutFolder, "Pulumi.staging.yaml"), "utf8"),
    ) as {
      config: Record<string, unknown>;
    };
    const config = {
      ...staging.config,
      ...(this.options.registry === "azure"
        ? { "store:azureRegistry": "Basic" }
        : {
            "store:registry": {
              address: registry.address,
              namespace: "store",
              username: registry.username,
              password: registry.password,
            },
          }),
      ...this.hostConfig(),
      "store:dockerSource": "distribution",
      "store:demoData": true,
      // The load under which a service is changed comes from one address, and faster than any customer.
      "store:requestLimit": 0,
      "store:readyMinutes": READY_MINUTES,
      ...change,
    };
    mkdirSync(path.dirname(this.configFile), { recursive: true });
    writeFileSync(this.configFile, stringify({ ...staging, config }), { mode: 0o600 });
  }

  private async previewNothing(): Promise<string> {
    const output = await this.theCheckout.succeed("preview", STACK);
    const created = /\+ (\d+) to create/.exec(output)?.[1];
    if (created === undefined)
      throw new CommandFailed("The preview doesn't say what it would create.", output);
    if (this.theCloud.resources().length > 0)
      throw new Error("The preview has made something in the cloud.");
    return `${created} to create`;
  }

  private async up(): Promise<string> {
    await this.theCheckout.succeed("up", STACK, "--yes");
    const waited = await this.customer.untilOpen(OPEN_LIMIT_MS);
    return `open at ${this.theCloud.publicAddress() ?? ""} after another ${waited.toFixed(1)} s`;
  }

  private async broken(verb: "up" | "down", fault: string): Promise<string> {
    const { config, mend } = await breakBy(fault, this.theCloud);
    this.configure(config);
    const volumes = verb === "down" ? ["--volumes"] : [];
    const { code, output } = await this.theCheckout.run(verb, STACK, "--yes", ...volumes);
    this.configure();
    if (code === 0)
      throw new CommandFailed(`./store ${verb} succeeded although ${fault} was broken.`, output);
    await mend();
    if (/^ +at .*:\d+:\d+\)?$/m.test(output))
      throw new CommandFailed("The message has a stack trace.", output);
    const message = output.slice(output.lastIndexOf("error: ")).trim();
    // Azure has none: what was broken has broken the stand-in, too.
    if (/docker [a-z]+ failed:/.test(message))
      throw new CommandFailed("The message is about the stand-in's own Docker.", output);
    this.options.report.note(message.split("\n").join("\n  "));
    return message.split("\n")[0] ?? "";
  }

  private async whoGetsIn(): Promise<string> {
    const address = this.theCloud.publicAddress() ?? "";
    const stranger = new Customer(address, "127.0.0.9");
    const admin = new Customer(address, "127.0.0.1");
    const found = {
      "the store to anybody": await stranger.reaches(80),
      "SSH to the administrator": await admin.reaches(22),
      "SSH to a stranger": await stranger.reaches(22),
      "Docker's port": (await admin.reaches(2375)) || (await admin.reaches(2376)),
    };
    const expected = [true, true, false, false];
    const wrong = Object.entries(found).filter(([, reached], i) => reached !== expected[i]);
    if (wrong.length > 0) {
      throw new Error(
        wrong.map(([what, reached]) => `${what} is ${reached ? "open" : "closed"}`).join("; "),
      );
    }
    return "80 to anybody, 22 to the administrator, Docker to nobody";
  }

  private async buy(): Promise<string> {
    this.bought = await this.customer.buy();
    return `order ${this.bought} confirmed`;
  }

  private async lookIntoHost(): Promise<string> {
    return lookIntoHost(this.theCheckout, {
      stack: STACK,
      address: this.theCloud.publicAddress() ?? "",
      user: this.theCloud.ready.machine?.user ?? "azureuser",
      containers: (await this.containers()).length,
    });
  }

  private unchanged(...command: string[]): Promise<string> {
    return unchanged(this.theCheckout, ...command);
  }

  /** Somebody else's machine, which has the stack's state and none of its images. */
  private async elsewhere(): Promise<string> {
    const folder = path.join(this.folder, "elsewhere");
    await copyCheckout(this.options.root, folder);
    const state = path.join(this.checkoutFolder, ".store");
    const there = this.checkoutIn(folder, { STORE_STATE_DIR: state });
    const { address } = this.theCloud.ready.registry;
    await removeImages(await imagesOf(address));
    const before = await this.containers();
    const found = await unchanged(there, "preview", STACK, "--refresh");
    await unchanged(there, "up", STACK, "--yes", "--refresh");
    const built = await imagesOf(address);
    if (built.length > 0) throw new Error(`It has built ${built.join(", ")}.`);
    if ((await this.containers()).join() !== before.join())
      throw new Error("The containers are others than before.");
    return `${found} after a refresh, its up builds nothing`;
  }

  private async previewChange(): Promise<string> {
    const source = path.join(this.checkoutFolder, "services", CHANGED_SERVICE, "src", "main.ts");
    appendFileSync(source, "\n// A change that makes another image.\n");
    const output = await this.theCheckout.succeed("preview", STACK);
    const containers = [
      ...output.matchAll(/docker:index:Container +(\S+) +(?:create|replace|update|delete)/g),
    ];
    const changed = [...new Set(containers.map(([, name = ""]) => name))];
    const others = changed.filter((name) => !name.startsWith(CHANGED_SERVICE));
    if (changed.length === 0 || others.length > 0) {
      throw new CommandFailed(
        `The preview names ${changed.join(", ") || "no container"}, where only ${CHANGED_SERVICE} has changed.`,
        output,
      );
    }
    return `replaces ${changed.join(", ")}`;
  }

  private async upChange(): Promise<string> {
    const stop = this.customer.browse(4);
    const result = await this.theCheckout.run("up", STACK, "--yes");
    const { requests, lost } = await stop();
    if (result.code !== 0) throw new CommandFailed("./store up failed.", result.output);
    if (lost.length > 0)
      throw new Error(
        `${lost.length} of ${requests} requests were lost: ${[...new Set(lost)].join("; ")}`,
      );
    return `0 of ${requests} requests lost`;
  }

  private async replaceMachine(): Promise<string> {
    const before = this.machine();
    const urns = await this.theCheckout.succeed("pulumi", "stack", "--show-urns", "--stack", STACK);
    const urn = /urn:pulumi:\S*azure-native:compute:VirtualMachine::\S+/.exec(urns)?.[0];
    if (urn === undefined) throw new CommandFailed("The stack has no virtual machine.", urns);
    await this.theCheckout.succeed("up", STACK, "--yes", "--", "--replace", urn);
    if (this.machine() === before) throw new Error("The machine is the same as before.");
    const waited = await this.customer.untilOpen(OPEN_LIMIT_MS);
    await this.customer.untilStatus(this.bought, "confirmed");
    return `another machine, open after another ${waited.toFixed(1)} s, the order is still there`;
  }

  private async takeDown(faults: readonly string[]): Promise<string> {
    for (const fault of faults) await breakBy(fault, this.theCloud);
    await this.theCheckout.succeed("down", STACK, "--yes", "--volumes");
    const left = this.theCloud.resources().map(({ id }) => id);
    if (left.length > 0) throw new Error(`In the cloud there is still ${left.join(", ")}.`);
    if (this.options.host === "ssh") return this.leftOnMachine();
    const containers = (await namesOf("container", this.id)).filter(
      (name) => !name.endsWith("-registry"),
    );
    const things = [...containers, ...(await namesOf("volume", this.id))];
    if (things.length > 0) throw new Error(`On this machine there is still ${things.join(", ")}.`);
    const repositories = this.options.registry === "azure" ? await repositoriesIn(this.id) : [];
    if (repositories.length > 0)
      throw new Error(`The registry still has ${repositories.join(", ")}.`);
    return "nothing left in the cloud";
  }

  /** The machine is there as before, with Docker and without the store. */
  private async leftOnMachine(): Promise<string> {
    const lists = [
      ["ps", "--all", "--format", "container {{.Names}}"],
      ["volume", "ls", "--format", "volume {{.Name}}"],
      ["network", "ls", "--filter", "type=custom", "--format", "network {{.Name}}"],
    ];
    const name = machineName(this.id, this.machine());
    const left = await Promise.all(lists.map((list) => docker("exec", name, "docker", ...list)));
    const things = left.filter((list) => list !== "");
    if (things.length > 0) throw new Error(`On the machine there is still ${things.join(", ")}.`);
    return "the machine has its Docker and nothing of the store";
  }

  // Around them ----------------------------------------------------------------------------------------------------

  private async step(name: string, action: () => Promise<string>): Promise<void> {
    const { report, onStep } = this.options;
    report.step(name);
    const started = Date.now();
    const seconds = (): number => (Date.now() - started) / 1000;
    try {
      const detail = await action();
      onStep({ name, seconds: seconds(), detail, failed: false });
    } catch (error) {
      const detail = messageOf(error);
      onStep({ name, seconds: seconds(), detail, failed: true });
      const output =
        error instanceof CommandFailed ? error.output.trimEnd().split("\n").slice(-40) : [];
      throw new StepFailed(name, detail, [...output, ...(await this.machineLog())]);
    }
  }

  /** What the machine itself says, when something went wrong on it. */
  private async machineLog(): Promise<string[]> {
    const vmId = this.machine();
    if (vmId === "") return [];
    const name = machineName(this.id, vmId);
    const log = await docker(
      "exec",
      name,
      "tail",
      "-n",
      "5",
      "/var/log/cloud-init-output.log",
    ).catch(() => "");
    return log === ""
      ? []
      : ["", "The machine's cloud-init-output.log ends with", ...log.split("\n")];
  }

  private checkoutIn(folder: string, env: Readonly<Record<string, string>> = {}): Checkout {
    return new Checkout(
      folder,
      STACK,
      { ...this.theCloud.env, STORE_CONFIG_FILE: this.configFile, ...env },
      (line) => {
        appendFileSync(this.log, `${line}\n`);
        this.options.report.progress(line.trim());
      },
    );
  }

  /** What runs on the machine. */
  private async containers(): Promise<string[]> {
    const ids = await docker("exec", machineName(this.id, this.machine()), "docker", "ps", "-q");
    return ids.split("\n").sort();
  }

  private hostConfig(): Record<string, unknown> {
    const { machine } = this.theCloud.ready;
    // The caller's address, as the wall sees it.
    if (machine === undefined) return { "store:adminCidrs": ["127.0.0.1/32"] };
    return {
      "store:host": "ssh",
      "store:sshAddress": machine.address,
      "store:sshUser": machine.user,
      "store:sshHostKey": machine.hostKey,
      "store:sshPrivateKey": machine.privateKey,
    };
  }

  private machine(): string {
    const plain = this.cloud?.ready.machine;
    if (plain !== undefined) return plain.vmId;
    const found = this.cloud?.resources().find(({ token }) => token.endsWith(":VirtualMachine"));
    return textAt(found?.computed, "vmId");
  }

  private get customer(): Customer {
    const address = this.theCloud.publicAddress();
    if (address === undefined) throw new Error("The cloud has no public address.");
    return new Customer(address);
  }

  private faults(moment: "up" | "down"): string[] {
    return this.options.faults.filter((fault) => phaseOf(fault) === moment);
  }

  private get theCloud(): CloudProcess {
    if (this.cloud === undefined) throw new Error("The stand-in cloud isn't running.");
    return this.cloud;
  }

  private get theCheckout(): Checkout {
    if (this.checkout === undefined) throw new Error("There is no checkout yet.");
    return this.checkout;
  }

  private get checkoutFolder(): string {
    return path.join(this.folder, "checkout");
  }

  private get configFile(): string {
    return path.join(this.folder, "config", `Pulumi.${STACK}.yaml`);
  }
}

async function unchanged(checkout: Checkout, ...command: string[]): Promise<string> {
  const output = await checkout.succeed(...command, "--", "--expect-no-changes");
  return `${/(\d+) unchanged/.exec(output)?.[1] ?? "all"} unchanged`;
}
